"""Raw bytes at every method, guided by the code that they reach."""
