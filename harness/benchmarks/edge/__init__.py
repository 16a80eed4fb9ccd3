"""Benches of the edge: load, overload and attacks."""
