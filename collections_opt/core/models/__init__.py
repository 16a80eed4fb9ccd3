"""What a model may speak about, and the life of its versions."""
