"""Benches of whole portfolios: read, ranked through the API, on engines, and shown."""
