"""Learn versions of every kind of model from what a ledger or a file holds."""
