"""Commands that make versions of models from recorded portfolios and logs."""
