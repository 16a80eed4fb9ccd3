"""What is kept of trainings beside the models that they write: a restart finds them, and says truthfully what became of each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.scoring.versions.artifacts import creation_time, list_versions

FOLDER = "trainings"
"""Within the folder of model versions; it holds no version."""

MOST_KEPT = 1_000
"""Trainings of which something is kept; of the oldest nothing is, and their drafts stay."""


@dataclass(frozen=True)
class KeptTraining:
    """A training as it was last known; ``state`` is that of a job.

    Attributes:
        training_id: its id.
        kind: of the model.
        version: name of the new version.
        ranking_ids: those it was asked to learn from.
        plan_id: desk, or "".
        seed: of folds and trees.
        worker: which process ran it.
        started_at: when, ISO 8601.
        state: RUNNING, SUCCEEDED, FAILED or ABANDONED.
        ended_at: when it ended, "" while it runs.
        error_reason: why it failed, "" where it did not.
        error_message: the same in words.
    """

    training_id: str
    kind: str
    version: str
    ranking_ids: tuple[str, ...]
    plan_id: str
    seed: int
    worker: str
    started_at: str
    state: str
    ended_at: str = ""
    error_reason: str = ""
    error_message: str = ""


class KeptTrainings:
    """Keeps trainings as files, one each, replaced whole.

    Args:
        root: folder of model versions.
        is_alive: whether a worker still runs.
        now: the clock.
    """

    def __init__(self, root: Path, is_alive: Callable[[str], bool], now: Callable[[], datetime]) -> None:
        self._root, self._folder = root, root / FOLDER
        self._is_alive = is_alive
        self._now = now

    def keep(self, training: KeptTraining) -> None:
        """Keep a training as it is now.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE where the folder cannot be written.
        """
        path = self._path(training.training_id)
        fresh = path.with_suffix(f".{os.getpid()}.new")
        try:
            self._folder.mkdir(exist_ok=True)
            fresh.write_text(json.dumps(asdict(training), indent=1) + "\n", "utf-8")
            fresh.replace(path)
        except OSError as error:
            told = f"the folder of models cannot be written ({error.strerror})."
            raise refuse(Reason.STORAGE_UNAVAILABLE, "models", told, "Mend the folder and send the call again.") from error
        for old in self._files()[MOST_KEPT:]:
            old.unlink(missing_ok=True)

    def find(self, training_id: str) -> KeptTraining | None:
        """Return a training, None where nothing is kept of it; one whose process ended before it did has failed."""
        try:
            held = json.loads(self._path(training_id).read_text("utf-8"))
            kept = KeptTraining(**{**held, "ranking_ids": tuple(held["ranking_ids"])})
            ModelKind(kept.kind)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        if kept.state != "RUNNING" or self._is_alive(kept.worker):
            return kept
        if self._has_draft(kept):
            return replace(kept, state="SUCCEEDED")
        told = "the server that ran it ended before it did, and no draft was written."
        failed = replace(kept, state="FAILED", ended_at=self._now().isoformat(), error_reason=Reason.RANKING_ABANDONED.value)
        return replace(failed, error_message=f"{told} Remedy: Send the same request again, or a new one.")

    def newest(self) -> Iterator[KeptTraining]:
        """Yield the trainings kept, that which was started last first."""
        found = filter(None, (self.find(path.stem) for path in self._files()))
        yield from sorted(found, key=lambda one: (one.started_at, one.training_id), reverse=True)

    def _has_draft(self, kept: KeptTraining) -> bool:
        """Return whether a training wrote its draft before its process ended."""
        made = (
            creation_time(self._root, kept.version, kept.kind) if kept.version in list_versions(self._root, kept.kind) else None
        )
        return made is not None and made >= datetime.fromisoformat(kept.started_at).replace(microsecond=0)

    def _files(self) -> list[Path]:
        """Return the files, the newest first."""
        try:
            return sorted(self._folder.glob("tr-*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        except OSError:
            return []

    def _path(self, training_id: str) -> Path:
        # Ids are made here of a digest; whatever else a caller names is no file of this folder.
        safe = training_id if training_id.startswith("tr-") and training_id[3:].isalnum() else "tr-0"
        return self._folder / f"{safe}.json"


def error_of(kept: KeptTraining) -> CollectionsError | None:
    """Return why a training failed, None where it did not."""
    return CollectionsError(Reason(kept.error_reason), kept.error_message) if kept.error_reason else None
