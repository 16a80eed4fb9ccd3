"""What happens after a ranking: events, and what they change of its accounts."""
