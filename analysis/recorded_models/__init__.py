"""What the models of a sweep are and say, worked out from their recorded weights."""
