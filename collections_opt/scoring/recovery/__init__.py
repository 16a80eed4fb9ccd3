"""What comes back after default, learned and served."""
