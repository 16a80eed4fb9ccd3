"""Benches: each module of a folder here, but of support, is a bench: ``make bench BENCH=name`` (docs/benchmarking.md)."""
