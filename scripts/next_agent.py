"""Say what one more agent is worth in each queue, today and over the week, and which agents had better work another queue.

Example:
    python scripts/next_agent.py --data var/demo --move 2
"""

from collections_opt.cli.desk.next_agent import command

if __name__ == "__main__":
    command()
