"""Change the keys of a ledger: the signing key with the former key's word, the master key by sealing every account key anew.

Both may end at any moment: the new key lies beside the old one before anything counts on it, a leaf of the log makes it the one
that counts, and the next opening of the ledger puts the file in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from collections_opt.application.keyring import MASTER, SIGNING, Keyring, take_next, write_next
from collections_opt.core.actors import Actor
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.checkpoints import Checkpoints
from collections_opt.ledger.log.key_history import hand_over, master_check, record_keys
from collections_opt.ledger.log.signed_notes import Signer, Verifier
from collections_opt.ledger.sealing.subject_keys import KeyVault, RandomBytes

_KEY_BYTES = 32


@dataclass(frozen=True)
class KeyRotation:
    """Changes keys; stop the servers first, they know the old ones.

    Attributes:
        ledger: the records.
        keyring: the keys that count now.
        folder: of their files.
        checkpoints: what signs the log.
        random_bytes: source of new keys.
        now: the clock.
    """

    ledger: Ledger
    keyring: Keyring
    folder: Path
    checkpoints: Checkpoints
    random_bytes: RandomBytes
    now: Callable[[], datetime]

    def rotate_signing(self, actor: Actor) -> Signer:
        """Make a new signing key, let the present one vouch for it in the log, and sign the log with it; return it."""
        former = self.keyring.signer
        made = Signer(former.name, self.random_bytes(_KEY_BYTES))
        write_next(self.folder / SIGNING, made.skey)
        note, check = hand_over(former, made.verifier), master_check(self.keyring.vault.master_key)
        with self.ledger.database.write() as connection:
            record_keys(connection, made.verifier.vkey, check, note, actor, self.now())
        take_next(self.folder / SIGNING)
        self._publish(made, (former.verifier, *self.checkpoints.former))
        return made

    def rotate_master(self, actor: Actor) -> None:
        """Make a new master key and seal every account key and the directory under it, in one transaction."""
        made = self.random_bytes(_KEY_BYTES)
        write_next(self.folder / MASTER, made.hex())
        vault = KeyVault(made, self.random_bytes)
        vkey = self.keyring.signer.verifier.vkey
        with self.ledger.database.write() as connection:
            self.ledger.subject_keys(self.keyring.vault).seal_anew(connection, vault)
            record_keys(connection, vkey, master_check(made), "", actor, self.now())
        take_next(self.folder / MASTER)
        self._publish(self.keyring.signer, self.checkpoints.former)

    def _publish(self, signer: Signer, former: tuple[Verifier, ...]) -> None:
        signed = replace(self.checkpoints, signer=signer, former=former)
        tree = self.ledger.log.tree()
        signed.publish(tree)
        signed.publish_everywhere(tree)
