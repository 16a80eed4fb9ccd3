"""Calls around what is kept: evidence of rankings, and how long accounts stay."""
