"""What is not as it should be about a ranking: scores, values, and what people must know of them."""
