"""Accounts: their schema, the door, persons, and what models may read of them."""
