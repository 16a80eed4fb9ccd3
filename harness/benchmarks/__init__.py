"""Benches: each module is a bench, run with ``make bench BENCH=name`` (docs/benchmarking.md)."""
