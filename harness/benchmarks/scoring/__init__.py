"""Benches of scores: models trained, portfolios scored, single accounts answered."""
