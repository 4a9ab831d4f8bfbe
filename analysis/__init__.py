"""What it meant: from MLflow records to tables, statistics and figures."""
