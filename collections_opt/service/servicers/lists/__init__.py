"""Lists in pages: filtered, ordered, and where the next page starts."""
