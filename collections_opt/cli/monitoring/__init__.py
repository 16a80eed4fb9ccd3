"""Commands about what became of accounts, and whether predictions hold."""
