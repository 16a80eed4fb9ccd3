"""Evidence that leaves the house: the proof of one account, and the archive of a whole ranking, for the stand-alone verifier."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from collections_opt.application.evidence.history import History, KeptCheckpoint
from collections_opt.application.models.evidence import model_files, object_files
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.recorder import Recorder
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.events.event_proofs import EventDisclosure
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.records import RankingRecord
from collections_opt.ledger.sealing.packing import FieldKind, Rows, unpack
from collections_opt.ledger.sealing.sealing import Disclosure, SealedTable, disclose, open_all

_ANSWER = ("account_id", "disposition", "queue", "priority", "increment_minor", "seconds", "surplus_minor", "rule", "explored")


@dataclass(frozen=True)
class AccountProof:
    """What was decided for an account, and the file that proves it to anyone.

    Attributes:
        ranking_id: the ranking.
        index: leaf of the account.
        answer: what the leaf says, the parts that answer "worked, where, in which order, why".
        content: canonical JSON for the stand-alone verifier.
    """

    ranking_id: str
    index: int
    answer: dict[str, Any]
    content: bytes


@dataclass(frozen=True)
class LogState:
    """The signed checkpoint of the log, and how it relates to checkpoints that somebody kept."""

    checkpoint: str
    kept: tuple[KeptCheckpoint, ...]


@dataclass(frozen=True)
class LogMoment:
    """The log's tree and its signed checkpoint at one moment, for many proofs."""

    tree: MerkleTree
    checkpoint: str


class Proofs:
    """Makes evidence from records.

    Args:
        ledger: the records.
        recorder: what opens and signs them.
    """

    def __init__(self, ledger: Ledger, recorder: Recorder) -> None:
        self._ledger = ledger
        self._sealed = recorder.sealed
        self._checkpoints = recorder.checkpoints

    @property
    def vkey(self) -> str:
        """The public key under which checkpoints are signed."""
        return self._checkpoints.signer.verifier.vkey

    @property
    def hand_overs(self) -> tuple[tuple[str, str], ...]:
        """Per former signing key, in order, its text and the note in which it vouches for the next."""
        return self._checkpoints.hand_overs

    def checkpoint(self) -> str:
        """Return the signed checkpoint of the log as it stands."""
        return self._checkpoints.note(self._ledger.log.tree())

    def state(self, kept: Sequence[str]) -> LogState:
        """Return the signed checkpoint of the log as it stands, beside checkpoints that somebody kept elsewhere."""
        tree = self._ledger.log.tree()
        history = History(self._checkpoints, (), tree)
        return LogState(self._checkpoints.note(tree), tuple(map(history.compared, kept)))

    def moment(self) -> LogMoment:
        """Return the log as it stands."""
        tree = self._ledger.log.tree()
        return LogMoment(tree, self._checkpoints.note(tree))

    def prove(self, opened: OpenedRanking, account_id: str, moment: LogMoment | None = None) -> AccountProof:
        """Return the proof of one account, decided or refused at the door; the log at a moment that is given, else as it stands.

        Raises:
            CollectionsError: NOT_FOUND when the ranking has no such account, or it was erased.
        """
        leaves, record = opened.leaves, opened.record
        index, key_no = self._place(opened, account_id)
        count = leaves.decided.row_count
        table, row = (leaves.decided, index) if index < count else (leaves.refused, index - count)
        shown = disclose(table, row, self._sealed.keys_of_numbers(np.array([key_no]))[0])
        answer = _cells(table, shown)
        path, log = [step.hex() for step in leaves.tree.inclusion_proof(index)], moment or self.moment()
        content: dict[str, Any] = {
            "answer": answer,
            "checkpoint": log.checkpoint,
            "leaf": {"index": index, "path": path, "row": shown.row.hex(), "salt": shown.salt.hex()},
            "log": self._log_facts(LogKind.RANKING, record.ranking_id, log.tree),
            "plan": opened.plan_text,
            "row": vars_of(record),
        }
        return AccountProof(record.ranking_id, index, answer, self._signed(content))

    def prove_event(self, shown: EventDisclosure, moment: LogMoment) -> bytes:
        """Return the proof that an event was recorded as it is shown: canonical JSON for the stand-alone verifier."""
        reference = str(shown.batch["first_sequence"])
        return self._signed(
            {
                "batch": canonical_json(shown.batch),
                "checkpoint": moment.checkpoint,
                "event": shown.row.decode().rstrip(" "),
                "leaf": {
                    "index": shown.index,
                    "path": [step.hex() for step in shown.path],
                    "row": shown.row.hex(),
                    "salt": shown.salt.hex(),
                },
                "log": self._log_facts(LogKind.EVENTS, reference, moment.tree),
            }
        )

    def _signed(self, content: dict[str, Any]) -> bytes:
        """Return a proof with the key under which its checkpoint is signed."""
        changes = {"key_hand_overs": [list(pair) for pair in self.hand_overs]} if self.hand_overs else {}
        return canonical_json({**content, "vkey": self.vkey, **changes}).encode()

    def archive(self, opened: OpenedRanking, accounts: Iterable[str] | None = None) -> bytes:
        """Return everything about a ranking as one ZIP archive; the same records give the same bytes.

        Args:
            opened: the ranking.
            accounts: whose rows are shown; None shows all that were not erased.
        """
        leaves, record, facts = opened.leaves, opened.record, opened.facts
        require_wanted()
        decided, refused = leaves.decided, leaves.refused
        shown = None if accounts is None else self._numbers(accounts)
        tree = self._ledger.log.tree()
        files = {
            "README.txt": _readme(record.ranking_id, facts).encode(),
            "record.json": canonical_json(vars_of(record)).encode(),
            "log.json": canonical_json(self._log_facts(LogKind.RANKING, record.ranking_id, tree)).encode(),
            "inputs.json": canonical_json(self._input_facts(facts, tree)).encode(),
            "checkpoint.txt": self._checkpoints.note(tree).encode(),
            "log_hashes.bin": tree.leaves.tobytes(),
            "key.vkey": self.vkey.encode(),
            "key_hand_overs.json": json.dumps(self.hand_overs).encode(),
            **object_files(self._ledger, facts),
            **model_files(self._ledger, facts),
            "leaves.bin": np.concatenate([decided.leaves, refused.leaves]).tobytes(),
            "accepted.bin": self._opened(decided, shown).tobytes(),
            "refused.bin": self._opened(refused, shown).tobytes(),
            "verify_evidence.py": verifier_source(),
        }
        require_wanted()
        listed = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
        title = f"{self._checkpoints.origin} evidence {record.ranking_id}\n"
        return _zip({**files, "manifest.note": self._checkpoints.signer.sign(title + listed).encode()})

    def _input_facts(self, facts: RankingFacts, log: MerkleTree) -> dict[str, Any]:
        """Return the leaves that say who imported the portfolio and who saved the plan."""
        plan = f"{facts.inputs.plan_id}/{facts.inputs.plan_version}"
        return {
            "plan": self._log_facts(LogKind.PLAN, plan, log),
            "portfolio": self._log_facts(LogKind.PORTFOLIO, facts.inputs.portfolio_id, log),
        }

    def _log_facts(self, kind: LogKind, reference: str, log: MerkleTree) -> dict[str, Any]:
        """Return a leaf and its path in one state of the log, which one checkpoint must cover: the log grows meanwhile."""
        entry = self._ledger.log.entry_of(kind, reference)
        if entry is None:
            raise refuse(Reason.INTEGRITY_FAILURE, "log", f"has no leaf of {kind} {reference}.", "Verify the log.")
        path = log.inclusion_proof(entry.position)
        return {"content": entry.content, "position": entry.position, "path": [step.hex() for step in path]}

    def _place(self, opened: OpenedRanking, account_id: str) -> tuple[int, int]:
        """Return an account's leaf and key number."""
        leaves, stored = opened.leaves, opened.stored
        ids, wanted = stored.entries.account_id, account_id.encode()
        at = int(np.searchsorted(ids, wanted))
        if at < ids.size and ids[at] == wanted:
            row = int(stored.rows[at])
            return row, int(leaves.decided.key_no[row])
        key_no = self._sealed.key_number(account_id)
        rows = np.flatnonzero(leaves.refused.key_no == (-1 if key_no is None else key_no))
        if key_no is None or not rows.size:
            raise _not_there(account_id, opened.record)
        return leaves.decided.row_count + int(rows[0]), key_no

    def _numbers(self, accounts: Iterable[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
        numbers = []
        for account in accounts:
            number = self._sealed.key_number(account)
            if number is None:
                raise refuse(
                    Reason.NOT_FOUND, "account_ids", f"{account!r} was never imported, or was erased.", "Check the id.", account
                )
            numbers.append(number)
        return np.array(numbers, dtype=np.int64)

    def _opened(self, table: SealedTable, shown: np.ndarray[Any, Any] | None) -> Rows:
        """Return salt and row of every row shown, zeros for the others."""
        keys = self._sealed.keys_of(table)
        if shown is not None:
            keys[~np.isin(table.key_no, shown)] = 0
        return open_all(table, keys)


def vars_of(record: RankingRecord) -> dict[str, Any]:
    """Return a ranking's row as the chain hashes it."""
    row = {**vars(record), "record": canonical_json(record.record)}
    return {name: value for name, value in row.items() if name != "record_digest"}


def verifier_source() -> bytes:
    """Return the stand-alone verifier."""
    return resources.files("collections_opt.application.evidence.standalone").joinpath("verify_evidence.py").read_bytes()


def _cells(table: SealedTable, shown: Disclosure) -> dict[str, Any]:
    columns = unpack(table.layout, np.frombuffer(shown.row, np.uint8)[np.newaxis])
    kinds = {field.name: field.kind for field in table.layout.fields}
    texts = (FieldKind.TEXT, FieldKind.DIGITS, FieldKind.SUFFIX, FieldKind.CODE)
    return {
        name: column[0].decode() if kinds[name] in texts else int(column[0])
        for name, column in columns.items()
        if "disposition" not in columns or name in _ANSWER
    }


def _zip(files: dict[str, bytes]) -> bytes:
    """Return files as a ZIP that depends on nothing else: stored, no times, made as on Unix."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            archive.writestr(entry, data)
    return content.getvalue()


def _readme(ranking_id: str, facts: RankingFacts) -> str:
    return f"""Evidence about ranking {ranking_id}, which decided on {facts.inputs.as_of_date} which accounts are worked.

To check it you need Python 3.8 or newer and nothing else; take verify_evidence.py out of this archive and run

    python verify_evidence.py THIS_ARCHIVE.zip --key PUBLIC_KEY

PUBLIC_KEY is the lender's, as published before, or the fingerprint of it that the lender gave on paper: SHA-256 of the key's
text. The program says HOLDS, or what does not. Add --since OLD_CHECKPOINT.txt, kept from before, to learn whether anything that
was recorded then is gone or changed.

record.json         the ranking's record, as it stands in the chain of records
log.json            its place in the log of everything that was recorded
inputs.json         the same of its portfolio and its plan, with who imported and saved them
checkpoint.txt      the log's state, signed
plan.json           the queues and their time
rules.json          the rules that forbid contact
model_card.md       what the model is and how well it does
approvals.json      what people did to the model versions used, as the lender's registry holds it
*_model.json        the contact effects and every other model that the record names, if they were learned
*_manifest.json     what the files of these versions are, by digest; of outcome and of what else was learned
leaves.bin          one hash per row that came in
accepted.bin        the accounts decided on, each with the salt of its hash; zeros where withheld or erased
refused.bin         the rows refused at the door, likewise
log_hashes.bin      one hash per entry of the log: with it an older checkpoint shows whether the log only grew since (--since)
key.vkey            the public key; it proves nothing by itself, whoever made this archive put it there
key_hand_overs.json by which each former key of the lender vouches for the next
manifest.note       the digests of all files, signed
"""


def _not_there(account_id: str, record: RankingRecord) -> Exception:
    return refuse(
        Reason.NOT_FOUND,
        "account_id",
        f"{account_id!r} is not in {record.ranking_id}, or was erased.",
        "Check the id; an erased account cannot be shown.",
        account_id,
    )
