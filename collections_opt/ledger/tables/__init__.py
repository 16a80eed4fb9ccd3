"""What the ledger keeps, a module per kind."""
