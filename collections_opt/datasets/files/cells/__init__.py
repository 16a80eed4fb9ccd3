"""Cells of a file as numbers, dates, codes and ids: what can't be read is a fault of its cell, never of the file."""
