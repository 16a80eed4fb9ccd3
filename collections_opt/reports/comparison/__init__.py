"""The comparison of orders for people and machines."""
