"""List and govern model versions: submit, validate, approve, promote, roll back, retire, adopt; compare challengers.

Example:
    python scripts/models.py list --data var/demo
    python scripts/models.py approve --version credit-card-4 --actor ada --days 180 --portfolio "uci-*"
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from collections_opt.api.v1 import model_service_pb2 as pb
from collections_opt.api.v1.model_use_pb2 import APPROVAL_MODE_SELF_APPROVED
from collections_opt.cli.common.model_words import (
    approved_by,
    expiry_of,
    figure,
    interval,
    line,
    plain,
    state_of,
    worst_calibration,
)
from collections_opt.cli.common.product import Product, now
from collections_opt.cli.common.running import run_commands
from collections_opt.cli.common.terminal import PlainConsole, table, terminal
from collections_opt.cli.learning.shadow import compare
from collections_opt.client.client import Client
from collections_opt.client.listings import all_models
from collections_opt.client.rankings import new_request_id
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.scoring.versions.mlflow_format import export_mlflow, import_mlflow

KindOption = Annotated[ModelKind, typer.Option(help="Kind of model.")]
VersionOption = Annotated[str, typer.Option(help="Version of that kind.")]
NoteOption = Annotated[str, typer.Option(help="Why, for the record.")]
DryOption = Annotated[bool, typer.Option("--check", "--validate-only", help="Check everything and record nothing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FIGURES = {
    ModelKind.OUTCOME: ("log_loss", "cure_auc", "default_auc"),
    ModelKind.CONTACT: ("call_log_loss", "call_auc", "call_ece"),
    ModelKind.RECOVERY: ("money_calibration_slope", "money_level", "share_mae", "share_r2"),
}
"""Of a kind's many out-of-time figures, those that a list has room for."""


def list_command(product: Product, kind: KindOption = ModelKind.OUTCOME, as_json: JsonOption = False) -> None:
    """List the versions of a kind and where each stands.

    Example: python scripts/models.py list --data var/demo
    """
    with product.connect() as client:
        models = list(all_models(client, kind.value))
    if as_json:
        typer.echo(json.dumps([plain(model) for model in models], indent=1))
        return
    outcome = kind is ModelKind.OUTCOME
    lines = [
        [
            *(m.version, state_of(m), m.engine, approved_by(m), expiry_of(m)),
            *([worst_calibration(m)] if outcome else []),
            *(figure(m, name) for name in FIGURES.get(kind, ())),
        ]
        for m in models
    ]
    worst = ["worst calibrated (slope, error)"] if outcome else []
    header = ["version", "state", "engine", "approved by", "until", *worst, *FIGURES.get(kind, ())]
    terminal().print(table(f"{kind.value} models", header, lines, text_columns=5 + len(worst)))


def show(
    product: Product,
    kind: KindOption = ModelKind.OUTCOME,
    version: Annotated[str, typer.Option(help="Version; default the champion.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show a version with its card, approval and history.

    Example: python scripts/models.py show --version credit-card-1
    """
    with product.connect() as client:
        model = client.models.GetModel(pb.GetModelRequest(kind=kind.value, version=version)).model
        request = pb.ListModelEventsRequest(kind=kind.value, version=model.version, page_size=1_000)
        events = client.models.ListModelEvents(request).events
    if as_json:
        typer.echo(json.dumps({**plain(model), "events": [plain(event) for event in events]}, indent=1))
        return
    console = PlainConsole(highlight=False)
    console.print(f"{model.kind}/{model.version}: {state_of(model)}, manifest {model.digest[:16]}...")
    console.print(table("What was done", ["#", "action", "by", "mode", "when", "why"], [line(e) for e in events], text_columns=6))
    if model.metrics:
        figures = [[name, figure(model, name), interval(model, name)] for name in sorted(model.metrics)]
        console.print(table("Out-of-time figures", ["figure", "value", "95 % interval"], figures))
    console.print(model.card, markup=False)


def submit(
    product: Product,
    version: VersionOption,
    kind: KindOption = ModelKind.OUTCOME,
    note: NoteOption = "",
    validate_only: DryOption = False,
) -> None:
    """Offer a draft for validation.

    Example: python scripts/models.py submit --version credit-card-4 --actor sue
    """
    act(product, "SubmitModel", kind, version, note, validate_only)


def validate(
    product: Product,
    version: VersionOption,
    kind: KindOption = ModelKind.OUTCOME,
    note: NoteOption = "",
    validate_only: DryOption = False,
) -> None:
    """Record that a second person validated a submitted version.

    Example: python scripts/models.py validate --version credit-card-4 --actor val --note "see report"
    """
    act(product, "ValidateModel", kind, version, note, validate_only)


def approve(
    product: Product,
    version: VersionOption,
    kind: KindOption = ModelKind.OUTCOME,
    days: Annotated[int, typer.Option(min=1, help="Days for which the approval holds.")] = 365,
    portfolio: Annotated[list[str], typer.Option(help="Pattern of portfolio ids it may score; repeatable.")] = ["*"],  # noqa: B006 - typer copies it
    score_days: Annotated[int, typer.Option(min=1, help="Days after the as-of date for which its scores hold.")] = 7,
    note: NoteOption = "",
    validate_only: DryOption = False,
) -> None:
    """Record that a third person approved a validated version, or approved it again.

    Example: python scripts/models.py approve --version credit-card-4 --actor ada --days 180 --portfolio "uci-*"
    """
    act(product, "ApproveModel", kind, version, note, validate_only, **terms_of(days, portfolio, score_days))


def terms_of(days: int, portfolios: list[str], score_days: int) -> dict[str, Any]:
    """Return the terms of an approval."""
    expires = Timestamp()
    expires.FromDatetime(now() + timedelta(days=days))
    return {"expire_time": expires, "allowed_portfolio_patterns": portfolios, "score_valid_days": score_days}


def promote(
    product: Product,
    version: VersionOption,
    kind: KindOption = ModelKind.OUTCOME,
    role: Annotated[str, typer.Option(help="champion, challenger, or inactive to end a challenge.")] = "champion",
    note: NoteOption = "",
    validate_only: DryOption = False,
) -> None:
    """Make an approved version champion or challenger; it takes effect at the next ranking.

    Example: python scripts/models.py promote --version credit-card-4 --actor op --role challenger
    """
    roles = {"champion": pb.MODEL_ROLE_CHAMPION, "challenger": pb.MODEL_ROLE_CHALLENGER, "inactive": pb.MODEL_ROLE_INACTIVE}
    if role not in roles:
        raise typer.BadParameter(f"{role!r} is no role; use {', '.join(roles)}")
    act(product, "PromoteModel", kind, version, note, validate_only, role=roles[role])


def rollback(
    product: Product,
    kind: KindOption = ModelKind.OUTCOME,
    note: NoteOption = "",
    validate_only: DryOption = False,
) -> None:
    """Return to the champion before the current one.

    Example: python scripts/models.py rollback --actor op --note "calibration drifts"
    """
    act(product, "RollbackModel", kind, "", note, validate_only)


def retire(
    product: Product,
    version: VersionOption,
    kind: KindOption = ModelKind.OUTCOME,
    note: NoteOption = "",
    validate_only: DryOption = False,
) -> None:
    """End a version's use for good.

    Example: python scripts/models.py retire --version credit-card-1 --actor op
    """
    act(product, "RetireModel", kind, version, note, validate_only)


def adopt(
    product: Product,
    version: VersionOption,
    kind: KindOption = ModelKind.OUTCOME,
    self_approved: Annotated[
        bool, typer.Option("--self-approved", help="You know that no second person looks, and that every record says so.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, help="Days for which the approval holds.")] = 90,
    note: NoteOption = "",
) -> None:
    """Submit, validate, approve and promote a version in one go: for a trial, in a folder of models of your own.

    The folder's registry.toml must be self-approving (that of a model trained into a new folder, and of a simulated lender, is).
    Where people are named, their four acts stay four acts.

    Example: python scripts/models.py adopt --version cards-1 --self-approved --actor ann
    """
    if not self_approved:
        told = "adopting takes every part of an approval alone."
        remedy = "Say --self-approved, or let the people of registry.toml submit, validate, approve and promote."
        raise refuse(Reason.INVALID_ARGUMENT, "self_approved", told, remedy)
    with product.connect() as client:
        model = client.models.GetModel(pb.GetModelRequest(kind=kind.value, version=version)).model
        _check_self_approving(client, kind, version)
    done = ("SUBMITTED", "VALIDATED", "APPROVED", "CHAMPION")
    stands = state_of(model)
    steps: list[tuple[str, dict[str, Any]]] = [
        ("SubmitModel", {}),
        ("ValidateModel", {}),
        ("ApproveModel", terms_of(days, ["*"], 7)),
        ("PromoteModel", {"role": pb.MODEL_ROLE_CHAMPION}),
    ]
    first = done.index(stands) + 1 if stands in done else 0
    for name, more in steps[first:]:
        act(product, name, kind, version, note or "adopted for a trial, self-approved", False, **more)
    typer.echo(f"{kind.value}/{version} serves; SELF_APPROVED: no second person looked, and every ranking says so")


def _check_self_approving(client: Client, kind: ModelKind, version: str) -> None:
    """Refuse where people govern the folder: nobody is asked to act twice under one name there."""
    request = pb.SubmitModelRequest(request_id=new_request_id(), kind=kind.value, version=version, validate_only=True)
    try:
        mode = client.models.SubmitModel(request).approval_mode
    except CollectionsError as error:
        if error.reason is not Reason.MODEL_STATE_CONFLICT:
            raise
        return  # it was submitted before; the acts that are left say under which mode they are
    if mode != APPROVAL_MODE_SELF_APPROVED:
        told = "is governed by the people named in registry.toml."
        remedy = "Let them submit, validate, approve and promote; or set self_approving = true in a folder of your own."
        raise refuse(Reason.PERMISSION_DENIED, "models", told, remedy)


def export_mlflow_command(
    out: Annotated[Path, typer.Option(help="New folder to write.")],
    version: VersionOption,
    kind: KindOption = ModelKind.OUTCOME,
    models: Annotated[Path, typer.Option(help="Folder of model versions.")] = Path("models"),
) -> None:
    """Write a version as an MLflow model folder.

    Example: python scripts/models.py export-mlflow --version credit-card-4 --out var/mlflow/credit-card-4
    """
    typer.echo(f"written: {export_mlflow(models, kind.value, version, out)}")


def import_mlflow_command(
    source: Annotated[Path, typer.Option(help="Exported MLflow model folder.")],
    models: Annotated[Path, typer.Option(help="Folder of model versions.")] = Path("models"),
) -> None:
    """Bring an exported folder back as a draft.

    Example: python scripts/models.py import-mlflow --source var/mlflow/credit-card-4 --models var/models
    """
    kind, version = import_mlflow(source, models)
    typer.echo(f"{kind}/{version} is a draft; submit it next")


def act(product: Product, name: str, kind: ModelKind, version: str, note: str, validate_only: bool, **more: Any) -> None:
    """Send an act of ``--actor``, who needs the role in registry.toml, and print where the version stands after it."""
    given = {"request_id": new_request_id(), "kind": kind.value, "version": version, "note": note}
    request = getattr(pb, f"{name}Request")(**given, validate_only=validate_only, **more)
    with product.connect() as client:
        model = getattr(client.models, name)(request).model
    stands = "may be done; it is still" if validate_only else "is now"
    typer.echo(f"{model.kind}/{model.version} {stands} {state_of(model)}")


def command() -> None:
    """Run the command with the arguments of the process."""
    run_commands(
        "List and govern model versions. Example: python scripts/models.py list --data var/demo",
        list_command,
        show,
        submit,
        validate,
        approve,
        promote,
        rollback,
        retire,
        adopt,
        compare,
        export_mlflow_command,
        import_mlflow_command,
    )
