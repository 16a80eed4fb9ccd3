"""What a ranking record holds, put together and read back."""
