"""Floor 1, below its neighbours: where passes over rows run, in this process or on a cluster; nothing above knows which."""

from __future__ import annotations

from collections_opt.engines.here import Here
from collections_opt.engines.passes import Columns, Engine, Passes

__all__ = ["Columns", "Engine", "Here", "Passes"]
