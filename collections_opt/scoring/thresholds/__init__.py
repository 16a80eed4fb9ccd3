"""What a strategy with a threshold is worth at its threshold."""
