"""All rows of a table packed at once, where the product packs them block by block."""

from collections_opt.ledger.sealing.packing import PackedRows


def pack(columns, categories=()):
    """Return the layout of columns and all their rows."""
    packed = PackedRows(columns, categories)
    return packed.layout, packed.block(slice(0, packed.row_count))
