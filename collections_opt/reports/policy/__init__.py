"""What orders are worth on a contact log, for people and machines."""
