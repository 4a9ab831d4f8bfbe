"""From an MLflow store to the checked record of one sweep."""
