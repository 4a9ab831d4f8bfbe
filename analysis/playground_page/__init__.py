"""A recorded sweep as a page with a slider: the values that it moves, and the page."""
