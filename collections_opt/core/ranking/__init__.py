"""From accounts to a ranking, and what can be read off one."""
