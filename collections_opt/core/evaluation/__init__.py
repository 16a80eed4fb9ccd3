"""How well orders and effects did, on truth and on logs."""
