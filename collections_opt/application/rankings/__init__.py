"""Make rankings, record them, and open those that were recorded."""
