"""Running the server and its ledger."""
