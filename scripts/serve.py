"""Serve the gRPC API over a data folder until interrupted.

Example:
    python scripts/serve.py --data var/demo --models var/demo/models --port 50051 --insecure-loopback
"""

from collections_opt.cli.running.serve import command

if __name__ == "__main__":
    command()
