"""Benches of assignment: time, memory and proven gap of the solvers, and what-ifs."""
