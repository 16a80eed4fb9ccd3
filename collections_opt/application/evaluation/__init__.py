"""Judge models and orders on rows that nothing was learned from."""
