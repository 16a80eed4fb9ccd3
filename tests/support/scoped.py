"""Work within what one caller may see."""

from contextlib import contextmanager

from collections_opt.core.scopes import present_scope, set_scope


@contextmanager
def seeing(scope):
    """Limit the work of a block."""
    before = present_scope()
    set_scope(scope)
    try:
        yield
    finally:
        set_scope(before)
