"""SchemaService: what a client must know before it sends accounts."""

from __future__ import annotations

from collections_opt.api.v1 import schema_service_pb2 as pb
from collections_opt.application.resources.value_sets import ValueSets
from collections_opt.core.accounts.column_names import told_column
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, SCHEMA_VERSION, Column
from collections_opt.core.limits import (
    MAX_ACCOUNTS_PER_PORTFOLIO,
    MAX_CHUNK_BYTES,
    MAX_HISTORY_MONTHS,
    MAX_OWN_COLUMNS,
    MAX_SCORE_ACCOUNTS,
)
from collections_opt.core.names import check_id
from collections_opt.service.access.call import Call
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.common import read_date, write_enum


class SchemaServicer:
    """Tells columns, bounds, limits and products."""

    def __init__(self, values: ValueSets) -> None:
        self._values = values

    def get_account_schema(self, _request: pb.GetAccountSchemaRequest, _context: Call) -> pb.GetAccountSchemaResponse:
        """Return the account schema and the limits of messages."""
        return pb.GetAccountSchemaResponse(
            schema_version=SCHEMA_VERSION,
            columns=[_write_column(column) for column in ACCOUNT_SCHEMA.values()],
            max_message_bytes=MAX_CHUNK_BYTES,
            max_row_accounts=MAX_SCORE_ACCOUNTS,
            max_own_columns=MAX_OWN_COLUMNS,
            max_portfolio_accounts=MAX_ACCOUNTS_PER_PORTFOLIO,
        )

    def list_products(self, request: pb.ListProductsRequest, _context: Call) -> pb.ListProductsResponse:
        """Return a page of the products that have values in force."""
        day = read_date(request.as_of_date, "as_of_date")
        if request.portfolio_id:
            check_id("portfolio_id", request.portfolio_id)
        page = read_page(f"products/{day}/{request.portfolio_id}", request.page_size, request.page_token, "")
        found = [name for name in sorted(self._values.products(request.portfolio_id, day)) if name > page.after]
        shown, more = page.cut(found)
        return pb.ListProductsResponse(products=shown, next_page_token=page.next_token(shown[-1]) if more else "")


def _write_column(column: Column) -> pb.AccountColumn:
    return pb.AccountColumn(
        name=told_column(column.name),
        kind=write_enum(pb.AccountColumnKind.DESCRIPTOR, column.kind.value),
        meaning=column.meaning,
        required=column.required,
        minimum=column.low,
        maximum=column.high,
        max_month_count=MAX_HISTORY_MONTHS if column.is_history else 0,
        first_day=column.first_day,
    )
