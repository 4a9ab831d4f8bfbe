"""What one trial is: the network, its two trainers, and the Ray Tune class that runs them."""
