"""A lender's own columns over the wire: packed in an import, as values of rows, refused at the path that is wrong."""

from dataclasses import replace
from datetime import date

import grpc
import numpy as np
import pytest

from collections_opt.api.v1 import columns_pb2, own_columns_pb2
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.own_columns import OwnColumn, OwnKind
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.errors import CollectionsError
from collections_opt.service.converters.accounts import accounts_to_raw
from collections_opt.wire.own_columns import read_own_columns, write_own_columns
from tests.support.serving.calls import AS_OF, WAIT, columns, fields_of, import_requests
from tests.support.serving.calls import card_account as account

OWN = (
    OwnColumn("bureau_score", OwnKind.NUMBER, "Score of the bureau.", "points", AS_OF, -1, may_be_missing=True),
    OwnColumn("desk", OwnKind.CATEGORY, "Desk that opened the account."),
)


def table():
    """Return the columns of the small book with own columns, some cells missing."""
    plain = columns()
    rng = np.random.default_rng(3)
    score, desk = rng.normal(600, 50, plain.row_count), rng.choice(np.array(["web", "branch"], object), plain.row_count)
    values = {**plain.values, "own.bureau_score": score, "own.desk": desk}
    return replace(plain, values=values, present={**plain.present, "own.bureau_score": rng.random(plain.row_count) < 0.8})


def imported(client, requests):
    return client.portfolios.ImportPortfolio(iter(requests), timeout=WAIT).portfolio


def refused(client, requests):
    with pytest.raises(grpc.RpcError) as caught:
        imported(client, requests)
    return fields_of(caught.value)


def test_an_import_holds_what_was_sent(client):
    sent = table()
    raw = RawPortfolio(AS_OF, "Asia/Taipei", "TWD", sent.values, sent.present, own=OWN)
    requests = import_requests("own", sent, own_columns=write_own_columns(OWN))
    assert imported(client, requests).digest == admit(raw).portfolio.digest


def test_columns_that_are_not_declared_or_not_sent_are_refused(client):
    sent = table()
    first = next(iter(sent.values))
    place = list(sent.values).index("own.desk")
    assert refused(client, import_requests("own", sent, own_columns=write_own_columns(OWN[:1]))) == {
        f"chunk.columns[{place}].name"
    }
    assert refused(client, import_requests("own", columns(), own_columns=write_own_columns(OWN))) == {"own.bureau_score"}
    assert refused(client, import_requests("own", sent, own_columns=write_own_columns(OWN), source_columns={"own.x": "y"})) == {
        "header.source_columns"
    }
    proxied = {"own.desk": "ZIP", first: "id"}
    assert refused(client, import_requests("own", sent, own_columns=write_own_columns(OWN), source_columns=proxied)) == {
        "header.own_columns[1].name"
    }


def test_a_whole_number_column_may_come_as_integers(client):
    sent = table()
    whole = replace(sent, values={**sent.values, "own.bureau_score": np.arange(sent.row_count)})
    portfolio = imported(client, import_requests("whole", whole, own_columns=write_own_columns(OWN)))
    assert portfolio.accepted_count == portfolio.row_count - 1
    flags = columns_pb2.Column(name="own.bureau_score", flags=columns_pb2.BoolColumn(values=[True] * whole.row_count))
    requests = list(import_requests("flags", replace(whole, values={n: v for n, v in whole.values.items() if n != flags.name})))
    requests[0].header.own_columns.extend(write_own_columns(OWN))
    for request in requests[1:]:
        flags.flags.values[:] = [True] * request.chunk.row_count
        request.chunk.columns.append(flags)
    assert refused(client, requests) == {"own.bureau_score"}


def test_declarations_come_back():
    assert read_own_columns(write_own_columns(OWN), AS_OF, "own_columns") == OWN


def value(**given):
    return own_columns_pb2.OwnValue(**given)


def rows(*own_values):
    accounts = [account(f"a{i}", own_values=given) for i, given in enumerate(own_values)]
    return accounts_to_raw(accounts, AS_OF, "UTC", "USD", write_own_columns(OWN))


def test_values_of_rows_become_columns_and_missing_differs_from_zero():
    raw = rows(
        {"bureau_score": value(number=0.0), "desk": value(category="web")},
        {"bureau_score": value(), "desk": value(category="web")},
        {"desk": value(category="")},
    )
    admission = admit(raw)
    np.testing.assert_array_equal(admission.portfolio.own.values["bureau_score"], [0.0, np.nan])
    assert (admission.quarantine.row.tolist(), admission.quarantine.rule) == ([2], ("EMPTY",))


@pytest.mark.parametrize("given", [{"bureau_score": value(category="web")}, {"age": value(number=1.0)}])
def test_values_of_no_declared_column_or_of_another_kind_are_refused(given):
    with pytest.raises(CollectionsError, match=rf"accounts\[1\]\.own_values\[{next(iter(given))}\]"):
        rows({"desk": value(category="web")}, given)


def test_a_later_day_is_refused_at_its_path():
    with pytest.raises(CollectionsError) as caught:
        read_own_columns(write_own_columns(OWN), date(2000, 1, 1), "own_columns")
    assert {one.field for one in caught.value.violations} == {"own_columns[0].known_as_of"}
