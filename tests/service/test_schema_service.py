"""What a client without Python must know, over the API."""

from __future__ import annotations

from datetime import date

import pytest

from collections_opt.api.v1 import schema_service_pb2 as pb
from collections_opt.core.accounts.column_names import held_column, told_columns
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.servicers.schema import SchemaServicer
from collections_opt.wire.common import write_date
from tests.support.serving.calls import WAIT


def test_every_column_is_told_with_its_bounds(client):
    told = client.schema.GetAccountSchema(pb.GetAccountSchemaRequest(), timeout=WAIT)
    assert [column.name for column in told.columns] == list(told_columns())
    for column in told.columns:
        held = ACCOUNT_SCHEMA[held_column(column.name)]
        assert pb.AccountColumnKind.Name(column.kind) == f"ACCOUNT_COLUMN_KIND_{held.kind.value}"
        assert (column.minimum if column.HasField("minimum") else None) == held.low
        assert (column.maximum if column.HasField("maximum") else None) == held.high
        assert (column.required, column.max_month_count > 0) == (held.required, held.is_history)
    assert told.max_message_bytes == 4 * 1024 * 1024


def test_products_with_values_are_listed():
    class Values:
        def products(self, portfolio_id, day):
            return ("LOAN", "CREDIT_CARD") if portfolio_id == "book" else ()

    ask = pb.ListProductsRequest(as_of_date=write_date(date(2026, 11, 26)), portfolio_id="book", page_size=1)
    first = SchemaServicer(Values()).list_products(ask, None)
    assert (list(first.products), bool(first.next_page_token)) == (["CREDIT_CARD"], True)
    ask.page_token = first.next_page_token
    assert list(SchemaServicer(Values()).list_products(ask, None).products) == ["LOAN"]
    with pytest.raises(CollectionsError) as refused:
        SchemaServicer(Values()).list_products(pb.ListProductsRequest(), None)
    assert refused.value.reason is Reason.INVALID_ARGUMENT
