"""Make rankings and record them."""
