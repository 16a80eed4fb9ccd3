"""PackService: everything recorded about a person, and a book's year in figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from collections_opt.api.v1 import pack_service_pb2 as pb
from collections_opt.api.v1 import portfolio_service_pb2
from collections_opt.application.packs.days import PackDays
from collections_opt.application.packs.persons import Decision, PersonHead, PersonLease, PersonPacks, ProvenEvent
from collections_opt.application.packs.portfolios import PortfolioPacks
from collections_opt.core.accounts.column_names import told_column
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.names import normal_account_id
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.tables.reads import AccountRead
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_actor
from collections_opt.service.converters.outcomes import write_outcomes
from collections_opt.service.converters.packs import write_head, write_lease, write_read, write_table
from collections_opt.service.converters.recorded_rankings import write_recorded
from collections_opt.service.servicers.portfolio import write_portfolio
from collections_opt.service.servicers.records.evidence_calls import write_answer
from collections_opt.wire.common import read_date, write_date
from collections_opt.wire.events import write_recorded_events

NoteRead = Callable[..., object]
METHOD = "ExportPersonPack"


class PackServicer:
    """Makes packs.

    Args:
        persons: packs of persons.
        portfolios: packs of books.
        ledger: the records.
        note: keeps the trail of reads.
    """

    def __init__(self, persons: PersonPacks, portfolios: PortfolioPacks, ledger: Ledger, note: NoteRead) -> None:
        self._persons = persons
        self._portfolios = portfolios
        self._ledger = ledger
        self._note = note

    def export_person_pack(self, request: pb.ExportPersonPackRequest, context: Call) -> Iterator[pb.ExportPersonPackResponse]:
        """Yield the parts of a person's pack; the trail names the accounts that it shows."""
        actor, days = read_actor(context), _days(request)

        def asked(accounts: list[str]) -> None:
            # The edge noted what was asked; by a person's id that names no account.
            if request.customer_id:
                self._note(METHOD, actor, {"customer": "one"}, accounts)

        found = normal_account_id(request.account_id), normal_account_id(request.customer_id)
        for part in self._persons.parts(*found, days, asked):
            yield self._written(part)

    def get_portfolio_pack(self, request: pb.GetPortfolioPackRequest, _context: Call) -> pb.GetPortfolioPackResponse:
        """Return the figures of a book."""
        pack = self._portfolios.pack(tuple(request.portfolio_patterns), _days(request))
        return pb.GetPortfolioPackResponse(
            first_date=write_date(pack.days.first),
            last_date=write_date(pack.days.last),
            ranking_count=pack.ranking_count,
            matured_ranking_count=pack.matured_count,
            person_count=pack.person_count,
            tables=[write_table(table) for table in pack.tables],
            least_count=MIN_CELL_COUNT,
            contact_count=pack.contact_count,
        )

    def _written(self, part: object) -> pb.ExportPersonPackResponse:
        if isinstance(part, PersonHead):
            return pb.ExportPersonPackResponse(head=write_head(part))
        if isinstance(part, Decision):
            return pb.ExportPersonPackResponse(decision=self._decision(part))
        if isinstance(part, ProvenEvent):
            (event,) = write_recorded_events([part.recorded])
            return pb.ExportPersonPackResponse(event=pb.PersonEvent(event=event, proof=part.proof))
        if isinstance(part, PersonLease):
            return pb.ExportPersonPackResponse(lease=write_lease(part))
        assert isinstance(part, AccountRead)
        return pb.ExportPersonPackResponse(read=write_read(part))

    def _decision(self, part: Decision) -> pb.PersonDecision:
        ranking = write_recorded(part.opened.record, part.opened.plan)
        # What of a ranking is about a whole book is not the person's.
        ranking.ClearField("queues")
        ranking.ClearField("evidence")
        ranking.ClearField("limits")
        return pb.PersonDecision(
            ranking=ranking,
            portfolio=self._portfolio(part.opened.record.portfolio_id),
            explanation=write_answer(part.answer, True),
            facts=[pb.PersonFact(name=told_column(fact.name), meaning=fact.meaning, value=fact.value) for fact in part.facts],
            outcome=None if part.outcomes is None or part.row < 0 else write_outcomes(part.outcomes, [part.row])[0],
        )

    def _portfolio(self, portfolio_id: str) -> portfolio_service_pb2.Portfolio:
        actors = self._ledger.logged_rows.actors(LogKind.PORTFOLIO, [portfolio_id])
        return write_portfolio(self._ledger.portfolios.get(portfolio_id), actors.get(portfolio_id, UNKNOWN))


def _days(request: pb.ExportPersonPackRequest | pb.GetPortfolioPackRequest) -> PackDays:
    return PackDays(read_date(request.first_date, "first_date"), read_date(request.last_date, "last_date"))
