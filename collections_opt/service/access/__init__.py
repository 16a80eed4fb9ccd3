"""Who calls, what they may call, and what came with the call."""
