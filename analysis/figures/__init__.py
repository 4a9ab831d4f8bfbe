"""A recorded sweep's figures, their captions, and the numbers on them."""
