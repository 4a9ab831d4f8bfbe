"""Where regularization helps: gains over none, chosen on some seeds and shown on others."""
