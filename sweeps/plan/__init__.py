"""What to run: the sweep, its points, seeds and packs, and the promise made of them."""
