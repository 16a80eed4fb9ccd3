"""Write everything that model-risk management asks for as one archive: inventory, outcomes analysis, triggers, approvals.

Example:
    python scripts/model_pack.py --data var/demo --out model-pack.zip
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from collections_opt import __version__
from collections_opt.api.v1 import model_service_pb2 as pb
from collections_opt.api.v1 import monitor_service_pb2 as monitor_pb
from collections_opt.api.v1.model_use_pb2 import APPROVAL_MODE_BOOTSTRAP, APPROVAL_MODE_SELF_APPROVED
from collections_opt.cli.common.model_words import plain, state_of
from collections_opt.cli.common.product import Product, now
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.cli.monitoring.monitor import FALSE_ALARMS, month_of, outcome_of, part_of
from collections_opt.client.client import Client
from collections_opt.client.listings import all_models
from collections_opt.client.outcomes import get_monitors
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.shown_text import visible
from collections_opt.reports.monitors import headline, monitors_html
from collections_opt.wire.common import read_date

WARN_DAYS = 30
"""An approval that ends within so many days is a trigger of review."""
UNJUDGED_DAYS = 120
"""So is a champion that no matured ranking of so many days judged."""
ALONE = (APPROVAL_MODE_SELF_APPROVED, APPROVAL_MODE_BOOTSTRAP)
"""Modes of approval in which no second person of the lender looked."""

WHOLE = (monitor_pb.MONITOR_DIMENSION_ALL, monitor_pb.MONITOR_DIMENSION_UNWORKED)
"""Parts whose slope calls for a review."""

SLOPES = (0.8, 1.25)
_EPOCH_ZIP = (1980, 1, 1, 0, 0, 0)

READ_ME = """\
Model pack of collections-opt {version}, made {made}.

inventory.json   every version of every kind: digests, state, who submitted, validated and approved it, until when, its figures
                 out of time, and what it stands on: features, calibration, and the other models and the plan of the last monitor
cards/           the card of each version
events.json      what was done to each version, by whom, when and why
monitors.json    outcomes analysis: every matured ranking, part by part, predicted against realised
monitors.html    the same as a page by month
triggers.json    what calls for a review now, and why

{alarms}
"""


def main(
    product: Product,
    out: Annotated[Path, typer.Option(help="Archive to write.")] = Path("model-pack.zip"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Write the pack; its triggers are printed.

    Example: python scripts/model_pack.py --data var/demo --out model-pack.zip
    """
    made = now()
    with product.connect() as client:
        models = [_model(client, kind, one.version) for kind in ModelKind for one in all_models(client, kind.value)]
        events = {f"{m.kind}/{m.version}": _events(client, m) for m in models}
        monitors = list(get_monitors(client))
    found = triggers(models, monitors, made)
    out.write_bytes(packed(models, events, monitors, found, made))
    if as_json:
        typer.echo(json.dumps({"archive": str(out), "models": len(models), "triggers": found}, indent=1))
        return
    console = terminal()
    console.print(headline([month_of(one) for one in monitors]), style="bold")
    lines = [[one["model"], one["trigger"], one["why"]] for one in found]
    if lines:
        console.print(table("Triggers of review", ["model", "trigger", "why"], lines, text_columns=3))
    console.print(f"{out} holds {len(models)} model versions and {len(monitors)} matured rankings.")


def triggers(models: Sequence[pb.Model], monitors: Sequence[monitor_pb.Monitor], at: datetime) -> list[dict[str, str]]:
    """Return what calls for a review, by model: champions alone, as only they decide."""
    found = []
    last = {one.model_version: one for one in monitors}
    for model in models:
        name = f"{model.kind}/{model.version}"
        if model.role != pb.MODEL_ROLE_CHAMPION:
            continue
        if model.HasField("approval"):
            ends = model.approval.expire_time.ToDatetime(tzinfo=at.tzinfo)
            if ends < at + timedelta(days=WARN_DAYS):
                found.append(_trigger(name, "approval ends", f"on {ends.date()}"))
        if model.approval.mode in ALONE or (model.approval.approver and model.approval.approver == model.submitter):
            found.append(_trigger(name, "self-approved", "no second person of the lender looked"))
        if model.kind == ModelKind.OUTCOME.value:
            found += _monitor_triggers(name, last.get(name), at)
        judged = last.get(name) if model.kind == ModelKind.OUTCOME.value else next(reversed(monitors), None)
        found += [_trigger(name, "a challenger is better", told) for told in _better_challengers(name, model.kind, judged)]
    return found


def _monitor_triggers(name: str, last: monitor_pb.Monitor | None, at: datetime) -> list[dict[str, str]]:
    if last is None:
        return [_trigger(name, "not judged", "no ranking that it scored has matured")]
    day, found = read_date(last.as_of_date, "as_of_date"), []
    if day < (at - timedelta(days=UNJUDGED_DAYS)).date():
        found.append(_trigger(name, "not judged lately", f"the last ranking that matured is of {day}"))
    for cell in last.cells:
        part = f"{outcome_of(cell)} of {part_of(cell)}"
        if cell.alarm:
            rates = f": predicted {cell.predicted:.1%}, realised {cell.realised.value:.1%}" if cell.HasField("realised") else ""
            found.append(_trigger(name, "alarm", f"{part} on {day}{rates}"))
        left = cell.HasField("slope") and (cell.slope.high < SLOPES[0] or cell.slope.low > SLOPES[1])
        if left and cell.outcome == monitor_pb.MONITORED_OUTCOME_DEFAULT and cell.dimension in WHOLE:
            told = f"{part} on {day}: {cell.slope.value:.2f} ({cell.slope.low:.2f} to {cell.slope.high:.2f})"
            found.append(_trigger(name, "slope outside 0.8 to 1.25", told))
    return found


def _better_challengers(name: str, kind: str, judged: monitor_pb.Monitor | None) -> list[str]:
    """Return the challengers of a champion's kind that a matured ranking had better with confidence, with its day."""
    if judged is None:
        return []
    better = [
        one.model_version
        for one in judged.challengers
        if one.HasField("log_loss_difference") and one.log_loss_difference.high < 0
    ]
    day = read_date(judged.as_of_date, "as_of_date")
    return [f"{one} on {day}" for one in better if one != name and one.startswith(f"{kind}/")]


def packed(
    models: Sequence[pb.Model],
    events: Mapping[str, Sequence[Mapping[str, Any]]],
    monitors: Sequence[monitor_pb.Monitor],
    found: Sequence[Mapping[str, str]],
    made: datetime,
) -> bytes:
    """Return the archive; equal content gives equal bytes."""
    stands_on = {one.model_version: one.effects_version for one in monitors}
    inventory = [{**plain(m), "card": "", "state": state_of(m), "stands_on": _dependencies(m, stands_on)} for m in models]
    files = {
        "README.txt": READ_ME.format(version=__version__, made=made.isoformat(timespec="seconds"), alarms=FALSE_ALARMS),
        "inventory.json": _json(inventory),
        "events.json": _json(events),
        "monitors.json": _json([plain(one) for one in monitors]),
        "monitors.html": monitors_html([month_of(one) for one in monitors], FALSE_ALARMS),
        "triggers.json": _json(found),
    }
    files |= {f"cards/{m.kind}-{m.version}.md": visible(m.card, lines=True) for m in models}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH_ZIP), text.encode())
    return buffer.getvalue()


def _dependencies(model: pb.Model, stands_on: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "feature_set": model.feature_set_version,
        "features": list(model.feature_names),
        "calibration": model.calibration_version,
        "engine": model.engine,
    }
    beside = stands_on.get(f"{model.kind}/{model.version}")
    return {**found, "served_beside": beside} if beside else found


def _model(client: Client, kind: ModelKind, version: str) -> pb.Model:
    return client.models.GetModel(pb.GetModelRequest(kind=kind.value, version=version)).model


def _events(client: Client, model: pb.Model) -> list[dict[str, Any]]:
    request = pb.ListModelEventsRequest(kind=model.kind, version=model.version, page_size=1_000)
    return [plain(event) for event in client.models.ListModelEvents(request).events]


def _trigger(model: str, trigger: str, why: str) -> dict[str, str]:
    return {"model": model, "trigger": trigger, "why": why}


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
