"""Writes the parts of docs that are counted or printed by the product."""
