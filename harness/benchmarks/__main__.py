"""``python -m harness.benchmarks [NAME ...]``: run benches."""

from harness.benchmarks.support.running import main_all

main_all()
