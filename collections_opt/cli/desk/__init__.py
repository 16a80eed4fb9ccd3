"""The desk's settings: capacity, plans, values and rules."""
