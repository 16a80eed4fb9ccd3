"""A desk behind a console, and browsers to look at it."""
