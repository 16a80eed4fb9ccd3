"""What became of accounts by a horizon, from events, later portfolios and files; and whether predictions hold against it."""
