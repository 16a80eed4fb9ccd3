"""Floor 2: comparisons and evaluations as text, CSV, JSON and HTML that opens offline."""
