"""Lenders' files: opened in every format they come in, read by a mapping, every fault told by its cell."""
