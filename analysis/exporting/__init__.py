"""One folder with everything, for people without MLflow."""
