"""How a sweep comes to stand in MLflow, whatever happens meanwhile, and how it is read back."""
