"""What every command shares: the product over its API, running, the terminal."""
