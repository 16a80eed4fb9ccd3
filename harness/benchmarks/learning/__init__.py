"""Benches of what is learned: whether intervals hold the truth, and what orders and experiments are worth."""
