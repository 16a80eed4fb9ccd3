"""Requests for rankings: who makes each, how far it came, and answers kept for retries."""
