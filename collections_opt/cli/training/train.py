"""Let the service learn a model from its own matured rankings; what it writes is a draft for people to approve.

Example:
    python scripts/train.py --data var/book --kind outcome --version cards-2
    python scripts/train.py --address ranker:8443 --kind contact --version reach-2
"""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from collections_opt.api.v1 import model_service_pb2 as pb
from collections_opt.api.v1.error_reason_pb2 import ErrorReason
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import PlainProgress, terminal
from collections_opt.client.client import Client
from collections_opt.client.rankings import new_request_id
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.wire.common import read_enum

LOOK_AGAIN_SECONDS = 0.5


def main(
    product: Product,
    version: Annotated[str, typer.Option(help="Name of the new version.")],
    kind: Annotated[ModelKind, typer.Option(help=f"Kind of model: {', '.join(ModelKind)}.")] = ModelKind.OUTCOME,
    ranking: Annotated[list[str] | None, typer.Option(help="Matured ranking; default: all that do not overlap.")] = None,
    desk: Annotated[str, typer.Option(help="Capacity plan with the queues; default: that of the last ranking.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of folds and trees.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn from matured rankings; of three or more the last one judges. Ctrl-C cancels the training.

    Outcomes of one or two rankings recalibrate the model that serves; three make one of your own. Recoveries are learned from
    rankings whose defaults are a year old.

    Example: python scripts/train.py --data var/book --kind outcome --version cards-2
    """
    request = pb.TrainModelRequest(
        request_id=new_request_id(), kind=kind.value, version=version, ranking_ids=ranking or [], plan_id=desk, seed=seed
    )
    with product.connect() as client:
        training = _watched(client, client.models.TrainModel(request).training)
        if training.state == pb.TRAINING_STATE_FAILED:
            raise CollectionsError(
                Reason(read_enum(ErrorReason.DESCRIPTOR, training.error_reason, "error_reason")), training.error_message
            )
        if training.state == pb.TRAINING_STATE_CANCELLED:
            raise CollectionsError(Reason.RANKING_ABANDONED, "the training was cancelled; no draft was written.")
        model = client.models.GetModel(pb.GetModelRequest(kind=kind.value, version=version)).model
    if as_json:
        told = {"kind": kind.value, "version": version, "digest": model.digest, "metrics": dict(model.metrics)}
        typer.echo(json.dumps(told, indent=1))
        return
    console = terminal()
    console.print(model.card)
    console.print(f"{kind.value}/{version} is a draft. It serves once people have approved and promoted it: models submit --help")


def _watched(client: Client, training: pb.Training) -> pb.Training:
    """Show progress until a training ends; an interrupt cancels it."""
    asked = pb.GetTrainingRequest(training_id=training.training_id)
    with PlainProgress() as bar:
        task = bar.add_task("training", total=1.0)
        try:
            while training.state == pb.TRAINING_STATE_RUNNING:
                bar.update(task, completed=training.done_share, description=training.stage)
                time.sleep(LOOK_AGAIN_SECONDS)
                training = client.models.GetTraining(asked).training
        except KeyboardInterrupt:
            training = client.models.CancelTraining(pb.CancelTrainingRequest(training_id=training.training_id)).training
            while training.state == pb.TRAINING_STATE_RUNNING:
                time.sleep(LOOK_AGAIN_SECONDS)
                training = client.models.GetTraining(asked).training
    return training


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
