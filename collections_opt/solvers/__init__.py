"""Floor 1: assignment solvers behind one interface, each with a proven bound, and a verifier that trusts none of them."""
