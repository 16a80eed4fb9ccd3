"""Floor 0: the pure core. numpy and the standard library only; no I/O, no clock, no randomness of its own."""
