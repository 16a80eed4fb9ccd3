"""Floor 1: bundled real data, readers of files with column mappings, and settings files."""
