"""The assignment problem as data: queues, constraints, persons, exploration."""
