"""The secrets of a ledger as files: the master key of account keys, and the key that signs checkpoints."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.log.signed_notes import Signer
from collections_opt.ledger.sealing.subject_keys import KeyVault, RandomBytes

KEY_NAME = "collections-opt"
"""Name under which checkpoints are signed, unless another is configured."""


@dataclass(frozen=True)
class Keyring:
    """What seals accounts and signs the log."""

    vault: KeyVault
    signer: Signer


def open_keyring(folder: Path, random_bytes: RandomBytes, name: str = KEY_NAME) -> Keyring:
    """Return the keys of a folder, made on first use and readable by their owner alone.

    ``checkpoint.vkey`` beside them is the public key, to be handed to whoever checks.

    Raises:
        CollectionsError: INVALID_ARGUMENT when a key file is damaged or the name cannot stand in a note.
    """
    if not name or any(letter.isspace() or letter == "+" for letter in name):
        raise refuse(Reason.INVALID_ARGUMENT, "key_name", f"{name!r} has spaces or '+'.", "Use a name like lender.example/log.")
    folder.mkdir(parents=True, exist_ok=True)
    master = _kept(folder / "master.key", random_bytes(32).hex())
    signer = Signer.parse(_kept(folder / "checkpoint.skey", Signer(name, random_bytes(32)).skey))
    (folder / "checkpoint.vkey").write_text(signer.verifier.vkey + "\n", encoding="utf-8")
    try:
        master_key = bytes.fromhex(master)
    except ValueError:
        master_key = b""
    if len(master_key) != 32:
        raise refuse(Reason.INVALID_ARGUMENT, "master.key", "is not 32 bytes in hex.", "Restore the key file.")
    return Keyring(KeyVault(master_key, random_bytes), signer)


def _kept(path: Path, fresh: str) -> str:
    """Return a secret file's text; the first of several processes makes it, whole or not at all."""
    beside = path.with_suffix(f".{os.getpid()}.new")
    if not path.exists():
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(fresh + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return path.read_text("utf-8").strip()
