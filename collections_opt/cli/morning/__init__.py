"""The morning: a portfolio in, a ranking out, and what people ask of it."""
