"""A verifier that travels with the evidence and needs nothing but Python."""
