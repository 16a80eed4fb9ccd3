"""What became of the accounts of rankings, and whether what was predicted of them held."""
