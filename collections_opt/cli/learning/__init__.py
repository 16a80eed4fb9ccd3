"""Models: learned, judged, governed; and the studies behind the values."""
