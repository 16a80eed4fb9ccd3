"""Floor 4: ``collections-opt COMMAND``: a room per kind of work, a module per command; ``scripts/`` has a thin file for each."""

PROGRAM = "collections-opt"
