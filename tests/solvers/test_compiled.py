"""An installation that nobody can write, run by somebody without a home, still compiles what it needs."""

import numba.core.caching
import pytest

from collections_opt.solvers.compiled import kernel


def doubled(number):
    return 2 * number


@pytest.mark.parametrize("writable", [True, False])
def test_what_cannot_be_kept_is_compiled_all_the_same(monkeypatch, writable):
    if not writable:
        monkeypatch.setattr(numba.core.caching.CacheImpl, "_locator_classes", [])
        with pytest.raises(RuntimeError, match="no locator"):
            numba.njit(cache=True)(doubled)
    assert kernel(doubled)(21) == 42
