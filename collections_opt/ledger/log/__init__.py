"""The log of everything recorded: leaves, trees, signed checkpoints."""
