"""What experiments show: tables for terminals, and a page with a picture."""
