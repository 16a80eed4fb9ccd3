"""Floor 1: the record of every portfolio, capacity plan and ranking; SQL for headers and worklists, objects for the rest."""
