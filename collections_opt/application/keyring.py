"""The secrets of a ledger as files: the master key of account keys, and the key that signs checkpoints.

Keys are made once, for a ledger in which nothing is recorded yet. Where something is, missing or other keys stop the opening: new
ones would leave every account unreadable and every checkpoint unsigned, and look like a fresh start.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.log.key_history import KeyHistory, master_check
from collections_opt.ledger.log.signed_notes import Signer
from collections_opt.ledger.sealing.subject_keys import KeyVault, RandomBytes

KEY_NAME = "collections-opt"
"""Name under which checkpoints are signed, unless another is configured."""

MASTER, SIGNING, PUBLIC = "master.key", "checkpoint.skey", "checkpoint.vkey"
NEXT = ".next"
"""End of the name of a key that is about to follow another: it counts from its leaf in the log on."""

_REMEDY = "Restore the key folder from its own backup; docs/how-to/backup-and-restore.md says where one belongs."


@dataclass(frozen=True)
class Keyring:
    """What seals accounts and signs the log."""

    vault: KeyVault
    signer: Signer


def open_keyring(
    folder: Path, random_bytes: RandomBytes, known: KeyHistory | None = None, may_make: bool = True, name: str = KEY_NAME
) -> Keyring:
    """Return the keys of a folder, readable by their owner alone.

    ``checkpoint.vkey`` beside them is the public key, to be handed to whoever checks.

    Args:
        folder: where they are.
        random_bytes: source of new ones.
        known: the keys that the log names; None where it names none.
        may_make: whether missing keys are made: for a ledger in which nothing is recorded.
        name: under which a new key signs.

    Raises:
        CollectionsError: KEYS_MISMATCH for keys that are missing or not those that the log names; INVALID_ARGUMENT when a key
            file is damaged or the name cannot stand in a note.
    """
    if not name or any(letter.isspace() or letter == "+" for letter in name):
        raise refuse(Reason.INVALID_ARGUMENT, "key_name", f"{name!r} has spaces or '+'.", "Use a name like lender.example/log.")
    if known is None and may_make:
        folder.mkdir(parents=True, exist_ok=True)
        _make(folder / MASTER, random_bytes(32).hex())
        _make(folder / SIGNING, Signer(name, random_bytes(32)).skey)
    # A rotation that ended between its leaf and the renaming of its file is carried to its end here.
    master = _chosen(folder / MASTER, known.master_check if known else "", lambda text: master_check(_master(text)))
    signing = _chosen(folder / SIGNING, known.present.vkey if known else "", lambda text: Signer.parse(text).verifier.vkey)
    signer = Signer.parse(signing)
    public, vkey = folder / PUBLIC, signer.verifier.vkey + "\n"
    if not public.exists() or public.read_text("utf-8") != vkey:
        public.write_text(vkey, encoding="utf-8")
    return Keyring(KeyVault(_master(master), random_bytes), signer)


def write_next(path: Path, text: str) -> None:
    """Write a key that is about to follow another beside it, synced; it counts for nothing yet."""
    _write_secret(path.with_name(path.name + NEXT), text)


def take_next(path: Path) -> None:
    """Let the key that follows take the place of the one before, whose file is gone then."""
    path.with_name(path.name + NEXT).replace(path)


def _chosen(path: Path, wanted: str, told_by: Callable[[str], str]) -> str:
    """Return the text of the key file that is the one wanted, or whatever is there where nothing is known."""
    following = path.with_name(path.name + NEXT)
    texts = {each: each.read_text("utf-8").strip() for each in (path, following) if each.is_file()}
    if not wanted:
        if path not in texts:
            raise refuse(Reason.KEYS_MISMATCH, path.name, "is missing, and the ledger holds records.", _REMEDY)
        return texts[path]
    for each, text in texts.items():
        try:
            fits = told_by(text) == wanted
        except CollectionsError:
            if each == path and following not in texts:
                raise
            fits = False
        if fits:
            if each == following:
                take_next(path)
            return text
    what = "is not the key that the log names" if texts else "is missing, and the ledger holds records"
    raise refuse(Reason.KEYS_MISMATCH, path.name, f"{what}.", _REMEDY)


def _master(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise refuse(Reason.INVALID_ARGUMENT, MASTER, "is not 32 bytes in hex.", "Restore the key file.")
    return key


def _make(path: Path, fresh: str) -> None:
    """Make a secret file unless it is there; the first of several processes makes it, whole or not at all."""
    if path.exists():
        return
    beside = path.with_suffix(f".{os.getpid()}.new")
    _write_secret(beside, fresh)
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
