"""What accounts and lists are worth in money."""
