"""What a person or a regulator asks for: everything recorded about one person, and a book's year in figures."""
