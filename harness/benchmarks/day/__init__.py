"""Benches of a day at a desk: live worklists and re-solves."""
