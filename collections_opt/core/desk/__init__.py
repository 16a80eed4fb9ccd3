"""The desk: queues, capacity plans and the parts of a day."""
