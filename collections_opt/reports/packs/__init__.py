"""Packs of persons and books as pages that open offline."""
