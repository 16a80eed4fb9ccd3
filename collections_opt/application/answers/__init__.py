"""Answers about accounts and capacity that record nothing: why, where, what if."""
