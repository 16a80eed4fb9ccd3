"""Which model serves, and what people do to versions."""
