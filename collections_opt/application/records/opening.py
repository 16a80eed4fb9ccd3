"""Open the records of a data folder: database, objects, keys and checkpoints that belong together, or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collections_opt.application.keyring import Keyring, open_keyring
from collections_opt.application.records.key_rotation import KeyRotation
from collections_opt.application.records.recorder import Recorder
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.application.records.standing import Standing
from collections_opt.core.actors import UNKNOWN
from collections_opt.ledger.identity import bind_store
from collections_opt.ledger.ledger import Ledger, open_ledger
from collections_opt.ledger.log.checkpoints import Checkpoints
from collections_opt.ledger.log.key_history import key_history, master_check, record_keys
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.places import open_place
from collections_opt.ledger.objects.remote import open_objects
from collections_opt.ledger.sealing.subject_keys import RandomBytes, SubjectKeys


@dataclass(frozen=True)
class Whereabouts:
    """Where the parts of a ledger are.

    Attributes:
        folder: the data folder; holds whatever is not named otherwise.
        database_url: SQLAlchemy URL of another database than SQLite in the folder.
        objects_url: another folder, or pyarrow URL, of the objects.
        keys: folder of the master key and the signing key; best on storage that is in no backup of the data.
        checkpoints_at: folders or pyarrow URLs that get a copy of every signed checkpoint; best where the database's owner
            changes nothing.
    """

    folder: Path
    database_url: str = ""
    objects_url: str = ""
    keys: Path | None = None
    checkpoints_at: tuple[str, ...] = ()

    @property
    def database(self) -> str:
        """URL of the database."""
        return self.database_url or f"sqlite:///{self.folder / 'ledger.db'}"

    @property
    def objects(self) -> str:
        """Folder or URL of the objects."""
        return self.objects_url or str(self.folder / "objects")

    @property
    def key_folder(self) -> Path:
        """Folder of the keys."""
        return self.keys or self.folder / "keys"

    @property
    def checkpoint_folder(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"


@dataclass(frozen=True)
class Records:
    """Opened records."""

    ledger: Ledger
    sealed: SealedRecords
    subject_keys: SubjectKeys
    recorder: Recorder
    standing: Standing

    @property
    def may_write(self) -> bool:
        """Whether the ledger takes writes."""
        return self.ledger.database.halted is None


def open_records(at: Whereabouts, now: Callable[[], datetime], random_bytes: RandomBytes = secrets.token_bytes) -> Records:
    """Open (and on first use make) the records.

    A log that checkpoints contradict, and a ledger that was moved, open for reading alone.

    Raises:
        CollectionsError: STORE_MISMATCH when database and objects do not belong together; STORAGE_UNAVAILABLE when a place of
            checkpoints cannot be read; as ``open_ledger``, ``open_objects`` and ``open_keyring``.
    """
    standing, keyring = _opened(at, now, random_bytes)
    ledger, checkpoints = standing.ledger, standing.checkpoints
    standing.look()
    bind_store(ledger.database, ledger.objects, random_bytes, now())
    _name_keys(ledger, keyring, now())
    subject_keys = ledger.subject_keys(keyring.vault)
    sealed = SealedRecords(ledger.objects, subject_keys, ledger.log.erasure_count)
    records = Records(ledger, sealed, subject_keys, Recorder(ledger, sealed, checkpoints), standing)
    if records.may_write:
        ledger.reads.anchor()
        records.recorder.publish_missing()
    return records


def open_standing(at: Whereabouts, now: Callable[[], datetime], random_bytes: RandomBytes = secrets.token_bytes) -> Standing:
    """Open what tells whether a ledger may be added to, and nothing else.

    Raises:
        CollectionsError: as ``open_ledger``, ``open_objects`` and ``open_keyring``.
    """
    return _opened(at, now, random_bytes)[0]


def open_rotation(at: Whereabouts, now: Callable[[], datetime], random_bytes: RandomBytes = secrets.token_bytes) -> KeyRotation:
    """Open what changes the keys of a ledger.

    Raises:
        CollectionsError: as ``open_records``.
    """
    standing, keyring = _opened(at, now, random_bytes)
    standing.look()
    _name_keys(standing.ledger, keyring, now())
    return KeyRotation(standing.ledger, keyring, at.key_folder, standing.checkpoints, random_bytes, now)


def _opened(at: Whereabouts, now: Callable[[], datetime], random_bytes: RandomBytes) -> tuple[Standing, Keyring]:
    at.folder.mkdir(parents=True, exist_ok=True)
    ledger = open_ledger(at.database, open_objects(at.objects))
    known = key_history(ledger.log.entries(LogKind.LEDGER))
    keyring = open_keyring(at.key_folder, random_bytes, known, may_make=not ledger.log.tree().size)
    others = tuple(open_place(where) for where in at.checkpoints_at)
    signer, former = keyring.signer, known.former if known else ()
    checkpoints = Checkpoints(at.checkpoint_folder, signer.name, signer, former, others, known.hand_overs if known else ())
    return Standing(ledger, checkpoints, now), keyring


def _name_keys(ledger: Ledger, keyring: Keyring, now: datetime) -> None:
    """Let the log of a ledger say which keys are its own, once."""
    if ledger.database.halted is not None or key_history(ledger.log.entries(LogKind.LEDGER)) is not None:
        return
    check = master_check(keyring.vault.master_key)
    with ledger.database.write() as connection:
        record_keys(connection, keyring.signer.verifier.vkey, check, "", UNKNOWN, now)
