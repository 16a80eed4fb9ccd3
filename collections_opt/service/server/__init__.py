"""The server: the edge on the event loop, places of work, the guard, metrics."""
