"""Account rows sealed under keys of their subjects, and erased with them."""
