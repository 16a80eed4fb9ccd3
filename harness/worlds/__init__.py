"""Simulated lenders with trained models, for tests and benches of effects and policy value."""
