"""One servicer per service of the contract: parse, call a use case, convert back."""
