"""What tests share: books, models, servers, databases and other things made for them. No test imports from another test."""
