"""What happened to accounts and who holds them: sealed events in order, and leases."""
