"""Record the golden rankings: 50 small ones over sizes, orders, solvers, seeds and plans, kept as one archive.

They are recorded once per version of the code and verified by all later ones. What a version decides may not change: a
change that decides otherwise is a new version, with an archive of its own beside the earlier ones.

    python -m harness.golden.recording
"""

from __future__ import annotations

import io
import shutil
import tempfile
import tomllib
import uuid
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import tomli_w

import collections_opt
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.workspace import Workspace, open_workspace
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.problem.constraints import AccountLimit, LimitKind, RankingConstraints, Segment
from collections_opt.core.ranking.ordering import Ordering
from tests.support.books.evidence_worlds import MODELS, NOW, PLAN, book, values

FOLDER = Path(__file__).parents[2] / "tests" / "data" / "golden"
RECORDED = FOLDER / f"rankings-{collections_opt.__version__}.zip"
"""What this version of the code records; there is none before it is released."""

ARCHIVE = max(FOLDER.glob("rankings-*.zip"), key=lambda path: [int(part) for part in path.stem[9:].split(".")], default=RECORDED)
"""Of the newest version that recorded them; the others in the folder are of earlier ones and only ever verified."""

COUNT = 50
MODEL = "credit-card-1"
SIZES = {"one": 1, "few": 5, "some": 24, "more": 90, "most": 260}
RAW_ORDERS = tuple(ordering for ordering in Ordering if ordering is not Ordering.EXPECTED_VALUE)
SOLVERS = ("default", "exact", "greedy", "pricing")


def plans():
    """Return the plans: two queues, eight that differ a little, and two without any time."""
    many = tuple(
        replace(PLAN.queues[i % 2], queue_id=f"q{i}", agents=0.4 + 0.1 * i, buckets=tuple(range(i % 3, 7))) for i in range(8)
    )
    nobody = tuple(replace(queue, agents=0.0) for queue in PLAN.queues)
    return (PLAN, replace(PLAN, plan_id="eight", queues=many), replace(PLAN, plan_id="nobody", queues=nobody))


CONSTRAINTS = (
    RankingConstraints((AccountLimit("few letters", LimitKind.AT_MOST, queue_ids=("letters",), account_count=3),)),
    RankingConstraints((AccountLimit("Illinois", LimitKind.AT_LEAST, Segment(states=("US-IL",)), segment_share=0.2),)),
    RankingConstraints(max_moved_count=5),
    RankingConstraints(exploration_share=0.1),
)


def cases():
    """Yield portfolio, plan, order, solver, seed and constraints of every golden ranking."""
    free = RankingConstraints()
    for size in SIZES:
        for solver in SOLVERS:
            yield size, "desk", Ordering.EXPECTED_VALUE, solver, 1, free
    for size in ("some", "most"):
        for solver in SOLVERS:
            yield size, "eight", Ordering.EXPECTED_VALUE, solver, 2, free
    for size in ("few", "more"):
        yield size, "nobody", Ordering.EXPECTED_VALUE, "default", 3, free
    for ordering in RAW_ORDERS:
        yield "some", "desk", ordering, "default", 4, free
    for ordering in RAW_ORDERS[::2]:
        yield "most", "eight", ordering, "default", 5, free
    for constraints in CONSTRAINTS:
        for solver in ("exact", "pricing"):
            yield "more", "desk", Ordering.EXPECTED_VALUE, solver, 6, constraints


def request_id(index: int) -> str:
    """Return the request id of a case."""
    return str(uuid.UUID(int=index + 1, version=4))


def record(workspace: Workspace) -> None:
    """Import the portfolios and make every golden ranking."""
    for plan in plans():
        workspace.books.save_plan(plan, None)
    for index, (name, size) in enumerate(SIZES.items()):
        raw = book(size, seed=index, as_of=date(2026, 11, 1 + index), bad=min(2, size // 5))
        workspace.books.import_portfolio(name, raw)
    previous = ""
    for index, (name, plan_id, ordering, solver, seed, constraints) in enumerate(cases()):
        command = RankingCommand(
            request_id(index),
            name,
            plan_id,
            1,
            ordering,
            values(),
            solver,
            seed,
            constraints,
            previous if constraints.max_moved_count is not None else "",
        )
        workspace.rank(command, ignore_progress)
        if (name, plan_id, solver) == ("more", "desk", "greedy"):
            previous = command.ranking_id


def keep_model(folder: Path) -> None:
    """Copy the model into the archive as champion: the shipped ones may be trained anew, what was ranked with one may not."""
    registry = tomllib.loads((MODELS / "registry.toml").read_text("utf-8"))
    kept = [{**declared, "champion": True} for declared in registry["declared"] if declared["version"] == MODEL]
    shutil.copytree(MODELS / "outcome" / MODEL, folder / "models" / "outcome" / MODEL)
    (folder / "models" / "registry.toml").write_text(tomli_w.dumps({**registry, "declared": kept}), encoding="utf-8")


def opened(folder: Path) -> Workspace:
    """Open a ledger whose model, keys and clock are always the same."""
    return open_workspace(folder, folder / "models", lambda: NOW, random_bytes=np.random.default_rng(2026).bytes)


def main() -> None:
    """Record into a new folder and write the archive."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keep_model(folder)
        workspace = opened(folder)
        record(workspace)
        workspace.close()
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.writestr(zipfile.ZipInfo(str(path.relative_to(folder))), path.read_bytes(), zipfile.ZIP_DEFLATED)
    RECORDED.parent.mkdir(parents=True, exist_ok=True)
    RECORDED.write_bytes(content.getvalue())
    print(f"{COUNT} rankings, {len(content.getvalue()):,} bytes")


if __name__ == "__main__":
    main()
