"""What to run, and where: one script per sweep, and the launcher behind them."""
