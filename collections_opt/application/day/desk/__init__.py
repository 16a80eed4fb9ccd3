"""A ranking in work: its accounts and events in memory, who may be called, in which order, and how it is opened."""
