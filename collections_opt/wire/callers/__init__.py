"""Who calls, and by whose word: metadata of calls, and the keys and answers of who vouches for people."""
