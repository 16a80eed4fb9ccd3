"""The day after the ranking: recording events, live worklists, leases."""
