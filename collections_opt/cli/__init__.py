"""``collections-opt``: every script of ``scripts/`` as a command, wherever the package is installed."""
