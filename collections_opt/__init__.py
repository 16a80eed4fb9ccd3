"""Decides every morning which delinquent accounts a lender's agents should work, and can prove it."""

__version__ = "0.2.0"
