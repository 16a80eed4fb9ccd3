"""Services of what people save and approve before it counts: values, rules, experiments."""
