"""Benches of the ledger: records, look-ups, events and evidence."""
