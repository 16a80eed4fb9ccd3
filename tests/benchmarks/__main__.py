"""``python -m tests.benchmarks [NAME ...]``: run benches."""

from tests.benchmarks.support.running import main_all

main_all()
