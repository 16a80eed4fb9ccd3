"""Show a server's desks, rankings and records as pages in a browser.

Example:
    python scripts/console.py --address 127.0.0.1:50051 --insecure-loopback --port 8080
"""

from collections_opt.cli.running.console import command

if __name__ == "__main__":
    command()
