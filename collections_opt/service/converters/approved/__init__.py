"""Messages of what people save and approve before it counts: versions, values, rules, experiments."""
