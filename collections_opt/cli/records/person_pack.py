"""Write everything recorded about one person as an archive with proofs: decisions, inputs, reasons, contacts, people who looked.

Example:
    python scripts/person_pack.py --data var/demo --account UCI-000007 --from 2005-08-01 --to 2005-12-31 --out person.zip
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer

from collections_opt import __version__
from collections_opt.api.v1 import pack_service_pb2 as pb
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import terminal
from collections_opt.cli.records.pack_words import decided_by, outcome_of, reasons_of, reviews_of
from collections_opt.client.exports import person_parts
from collections_opt.client.plain import plain
from collections_opt.reports.packs.person import PersonPage, ShownDecision, person_html
from collections_opt.wire.common import read_date

_STANDALONE = "collections_opt.application.evidence.standalone"
_EPOCH_ZIP = (1980, 1, 1, 0, 0, 0)

READ_ME = """\
What is recorded about one person, made by collections-opt {version}.

person.html         to read
pack.json           the same for machines: head, decisions, events, leases, reads
proofs/             a proof per decision and per event
verify_evidence.py  checks all of them, and that pack.json says what they say; needs Python 3.8 and nothing else:

    python verify_evidence.py THIS_PACK.zip --key KEY

KEY is the lender's public key, or its fingerprint on paper. What was erased cannot be shown. Rankings that the caller may not see
are not in it. That nothing is missing shows in the lender's ledger alone: `collections-opt verify log`.
"""


@dataclass
class Gathered:
    """The parts of a pack as they came."""

    head: pb.PersonPackHead | None = None
    decisions: list[pb.PersonDecision] = field(default_factory=list)
    events: list[pb.PersonEvent] = field(default_factory=list)
    leases: list[pb.PersonLease] = field(default_factory=list)
    reads: list[pb.PersonRead] = field(default_factory=list)

    def add(self, part: pb.ExportPersonPackResponse) -> None:
        """Add a part."""
        kind = part.WhichOneof("part")
        if kind == "head":
            self.head = part.head
        elif kind is not None:
            getattr(self, f"{kind}s").append(getattr(part, kind))


def main(
    product: Product,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")],
    account: Annotated[str, typer.Option(help="An account of the person.")] = "",
    customer: Annotated[str, typer.Option(help="The person's id, instead of an account.")] = "",
    out: Annotated[Path, typer.Option(help="Archive to write.")] = Path("person.zip"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Write the pack of a person.

    Example: python scripts/person_pack.py --data var/demo --account UCI-000007 --from 2005-08-01 --to 2005-12-31
    """
    found = Gathered()
    with product.connect() as client:
        for part in person_parts(client, first.date(), last.date(), account, customer):
            found.add(part)
        reviews = reviews_of(client, found.decisions)
    files = pack_files(found, reviews)
    out.write_bytes(_zipped(files))
    told = {"archive": str(out), "decisions": len(found.decisions), "events": len(found.events), "reads": len(found.reads)}
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    console = terminal()
    console.print(f"{out} holds {len(found.decisions)} decision(s) and {len(found.events)} event(s), each with its proof.")
    console.print(f"Check it anywhere: take verify_evidence.py out of it and run python verify_evidence.py {out.name} --key KEY")


def pack_files(found: Gathered, reviews: tuple[tuple[str, str, str], ...]) -> dict[str, bytes]:
    """Return the files of a pack by name; equal parts give equal bytes."""
    assert found.head is not None
    files: dict[str, bytes] = {}
    decisions, shown = [], []
    for number, one in enumerate(found.decisions, 1):
        name = f"proofs/decision-{number:04d}.json"
        files[name] = one.explanation.proof
        decisions.append({**_without_proof(one), "answer": json.loads(one.explanation.proof)["answer"], "proof": name})
        shown.append(_shown(one, name))
    events = [_event(one, files) for one in found.events]
    head, leases, reads = plain(found.head), [plain(one) for one in found.leases], [plain(one) for one in found.reads]
    content = {"head": head, "decisions": decisions, "events": events, "leases": leases, "reads": reads, "reviews": reviews}
    page = PersonPage(
        person=", ".join(found.head.customer_ids) or ", ".join(found.head.account_ids),
        accounts=tuple(found.head.account_ids),
        first=str(_day(found.head.first_date)),
        last=str(_day(found.head.last_date)),
        made=found.head.create_time.ToJsonString(),
        ranking_count=found.head.ranking_count,
        analysis_count=found.head.analysis_ranking_count,
        decisions=tuple(shown),
        events=tuple(events),
        leases=tuple(leases),
        reads=tuple(reads),
        reviews=reviews,
    )
    return {
        "README.txt": READ_ME.format(version=__version__).encode(),
        "pack.json": (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode(),
        "person.html": person_html(page).encode(),
        "verify_evidence.py": resources.files(_STANDALONE).joinpath("verify_evidence.py").read_bytes(),
        **files,
    }


def _event(one: pb.PersonEvent, files: dict[str, bytes]) -> dict[str, Any]:
    name = f"proofs/event-{one.event.sequence:09d}.json" if one.proof else ""
    if name:
        files[name] = one.proof
    return {
        "sequence": one.event.sequence,
        "record_time": one.event.record_time.ToJsonString(),
        "event": json.loads(json.loads(one.proof)["event"]) if name else None,
        "erased": one.event.erased,
        "proof": name,
    }


def _without_proof(one: pb.PersonDecision) -> dict[str, Any]:
    content = plain(one)
    content["explanation"].pop("proof", None)
    return content


def _shown(one: pb.PersonDecision, proof: str) -> ShownDecision:
    return ShownDecision(
        day=str(_day(one.ranking.inputs.as_of_date)),
        account_id=one.explanation.account_id,
        ranking_id=one.ranking.ranking_id,
        sentence=one.explanation.sentence,
        reasons=reasons_of(one.explanation),
        facts=tuple((fact.name, fact.value, fact.meaning) for fact in one.facts),
        decided_by=decided_by(one),
        outcome=outcome_of(one),
        proof=proof,
    )


def _day(message: Any) -> date:
    return read_date(message, "day")


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH_ZIP), content)
    return buffer.getvalue()


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
