"""Settings that decide money or law as approved, versioned resources."""
