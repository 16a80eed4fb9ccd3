"""Capacity plans as TOML files that people write: written so that they are read again as they were."""

from __future__ import annotations

from pathlib import Path

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.datasets.settings_files import read_settings
from collections_opt.datasets.toml_text import said_fields, toml_value

_HEAD = """\
# A capacity plan. Change what shall change, leave "version" as it is (it says what the file was made from), and save the
# file with scripts/save_plan.py: that makes the next version, unless another one was stored meanwhile.
"""


def read_plan_file(path: Path) -> CapacityPlan:
    """Return the plan of a TOML file; its version is the one that the file was made from, 0 for a new plan.

    Raises:
        CollectionsError: as ``read_settings``.
    """
    return read_settings(path, CapacityPlan)


def plan_file_text(plan: CapacityPlan) -> str:
    """Return a plan as TOML that ``read_plan_file`` reads as the same; a field at its default is left out."""
    lines = [_HEAD, *(f"{name} = {toml_value(value)}" for name, value in said_fields(plan) if name != "queues")]
    for queue in plan.queues:
        lines += ["", "[[queues]]", *(f"{name} = {toml_value(value)}" for name, value in said_fields(queue))]
    return "\n".join(lines) + "\n"
