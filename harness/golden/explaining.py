"""Ask "why (not) worked" 200 times, hand each proof to the stand-alone verifier, and alter bytes that it must refuse.

python -m harness.golden.explaining --count 200
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.workspace import Workspace
from tests.support.books.evidence_worlds import book, opened, ranked

ACCOUNTS, REFUSED, ALTERED = 20_000, 25, 2_000
DAY = date(2026, 11, 24)


def made(folder: Path, accounts: int = ACCOUNTS) -> Workspace:
    """Return a ledger with a ranking of many accounts, some refused at the door."""
    workspace = opened(folder)
    workspace.books.import_portfolio("p1", book(accounts, bad=REFUSED))
    ranked(workspace, solver="pricing")
    return workspace


def ask(workspace: Workspace, count: int) -> tuple[int, list[float]]:
    """Return how many answers the verifier accepted and the seconds of each: answer, proof and check together."""
    key, accepted, seconds = workspace.evidence.proofs.vkey, 0, []
    chance = random.Random(3)
    total = workspace.ledger.portfolios.get("p1").row_count
    for number in chance.sample(range(total), min(count, total)):
        start = time.perf_counter()
        answer = workspace.evidence.answer_at(f"AC-{number:05d}", DAY)
        report = verify_evidence.check_proof(answer.proof.content, key)
        seconds.append(time.perf_counter() - start)
        accepted += f"AC-{number:05d}" in report[-1]
    return accepted, seconds


def accepted_alterations(check: Callable[[bytes, str], object], content: bytes, key: str, count: int) -> list[int]:
    """Alter one bit at many places, one at a time; return the places that the verifier let through."""
    chance, passed = random.Random(8), []
    for place in chance.sample(range(len(content)), min(count, len(content))):
        altered = bytearray(content)
        altered[place] ^= 1 << chance.randrange(8)
        try:
            check(bytes(altered), key)
        except Exception:  # noqa: BLE001 - whatever stops it makes the program say that it does not hold
            continue
        passed.append(place)
    return passed


def main(arguments: list[str]) -> int:
    """Print one line of figures; exit code 1 when an answer is refused or an altered byte accepted."""
    count = int(arguments[arguments.index("--count") + 1]) if "--count" in arguments else 200
    with tempfile.TemporaryDirectory() as name:
        workspace = made(Path(name) / "many")
        accepted, seconds = ask(workspace, count)
        workspace.close()
        small = made(Path(name) / "few", 60)
        record, evidence = small.ledger.rankings.before(None, 1)[0], small.evidence
        proofs, proof = evidence.proofs, evidence.prove(record, "AC-00040").content
        passed = accepted_alterations(verify_evidence.check_proof, proof, proofs.vkey, len(proof))
        passed += accepted_alterations(verify_evidence.check_archive, evidence.archive(record), proofs.vkey, ALTERED)
        small.close()
    tried = len(proof) + ALTERED
    p50, p95 = np.percentile(seconds, [50, 95]) * 1_000
    print(
        f"evidence: {accepted} of {count} answers accepted by the stand-alone verifier, p50 {p50:.0f} ms, p95 {p95:.0f} ms "
        f"(answer, proof and check) of {ACCOUNTS:,} accounts; {tried - len(passed):,} of {tried:,} altered bytes refused"
    )
    return int(accepted < count or bool(passed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
