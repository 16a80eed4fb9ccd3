"""Look at a file that nobody has described and draft its mapping: what was recognised, how sure, what is missing."""
