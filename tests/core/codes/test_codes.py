"""Coded facts: spellings with one reading are read, all others are refused with what is near, nothing unknown passes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.accounts.admission import admit
from collections_opt.core.codes.columns import read_codes
from collections_opt.core.codes.currencies import check_currency, currency
from collections_opt.core.codes.iana_zones import ZONES
from collections_opt.core.codes.iso_3166 import COUNTRIES, SUBDIVISIONS
from collections_opt.core.codes.iso_4217 import EXPONENTS
from collections_opt.core.codes.places import places_near, read_place
from collections_opt.core.codes.zones import read_zone, zones_near
from collections_opt.core.errors import CollectionsError
from tests.support.factories import raw_portfolio, text

CODES = [f"{country}-{part}" for country, parts in SUBDIVISIONS.items() for part in parts]


def test_the_lists_are_whole():
    assert len(COUNTRIES) == 249
    assert {"US", "GB", "IN", "TW"} < set(COUNTRIES)
    assert len(CODES) > 5_000
    assert len(SUBDIVISIONS["US"]) == 57
    assert (EXPONENTS["USD"], EXPONENTS["JPY"], EXPONENTS["KWD"], EXPONENTS["CLF"]) == (2, 0, 3, 4)
    assert {"America/New_York", "Asia/Kolkata", "UTC"} < set(ZONES)


@pytest.mark.parametrize(
    ("sent", "currency", "code"),
    [
        ("US-MA", "USD", "US-MA"),
        ("us-ma", "USD", "US-MA"),
        (" US-MA", "USD", "US-MA"),
        ("US-MA ", "USD", "US-MA"),
        ("US_MA", "USD", "US-MA"),
        ("\u00a0US\u2007MA", "USD", "US-MA"),
        ("MA", "USD", "US-MA"),
        ("ma", "USD", "US-MA"),
        ("Massachusetts", "USD", "US-MA"),
        ("USA", "USD", "US"),
        ("PR", "USD", "US-PR"),
        ("us-ny-nyc", "USD", "US-NY-NYC"),
        ("MA", "MAD", "MA"),
        ("CA", "CAD", "CA"),
        ("IN", "INR", "IN"),
        ("UK", "GBP", "GB"),
        ("Bayern", "EUR", "DE-BY"),
        ("Baden-Wurttemberg", "EUR", "DE-BW"),
        ("Georgia", "USD", "US-GA"),
    ],
)
def test_spellings_with_one_reading_are_read(sent, currency, code):
    assert read_place(sent, currency).code == code
    assert read_place(sent, currency).known


@pytest.mark.parametrize(
    ("sent", "currency", "near"),
    [("MA", "EUR", "US-MA"), ("PA", "USD", "US-PA"), ("US-XX", "USD", "US"), ("Masachusets", "USD", "US-MA"), ("XX", "USD", "")],
)
def test_what_has_two_readings_or_none_is_refused_with_what_is_near(sent, currency, near):
    reading = read_place(sent, currency)
    assert not reading.known
    assert not near or near in (reading.nearest or places_near(sent))


def test_a_declared_country_decides():
    assert read_place("PA", "USD", "US").code == "US-PA"
    assert read_place("MA", "EUR", "US").code == "US-MA"


@given(st.sampled_from(CODES), st.sampled_from(["USD", "EUR", "JPY"]))
def test_every_code_stands_for_itself_in_any_case(code, currency):
    assert read_place(code, currency).code == code
    assert read_place(f" {code.lower().replace('-', '_')} ", currency).code == code


@given(st.text(min_size=1, max_size=12), st.sampled_from(["USD", "EUR"]))
def test_a_known_reading_is_in_the_vocabulary_and_reads_as_itself(sent, currency):
    reading = read_place(sent, currency)
    if reading.known:
        country, *rest = reading.code.split("-")
        assert country in COUNTRIES
        assert not rest or rest[0] in SUBDIVISIONS[country]
        assert read_place(reading.code, currency, country).code == reading.code


def test_zones():
    assert read_zone("america/new york").code == "America/New_York"
    assert not read_zone("CST").known
    assert zones_near("Chicago") == ("America/Chicago",)
    assert zones_near("America/Chigaco")[0] == "America/Chicago"


def test_currencies_are_written_with_their_own_decimals():
    assert currency("USD").exact(1_234_567) == "12,345.67"
    assert currency("JPY").exact(1_234_567) == "1,234,567"
    assert currency("KWD").exact(1_234_567) == "1,234.567"
    assert currency("USD").exact(-50) == "-0.50"
    assert currency("KWD").change(1_234_567) == "+1,235"
    assert currency("USD").whole(float("nan")) == "-"
    assert currency("UYW").exponent == 4
    with pytest.raises(CollectionsError, match="not a currency"):
        check_currency("US$")


def test_columns_are_read_once_per_text_and_counted():
    values = np.array([b"US-MA", b"ma", b"ma", b"", b"nowhere", b"us-ma"])
    coded = read_codes("state", values, np.ones(6, dtype=bool), lambda t: read_place(t, "USD"), places_near)
    assert coded.values.tolist() == [b"US-MA", b"US-MA", b"US-MA", b"", b"nowhere", b"US-MA"]
    assert sum(mask.sum() for mask in coded.unknown.values()) == 1
    assert {(one.text, one.code, one.count) for one in coded.normalised} == {("ma", "US-MA", 2), ("us-ma", "US-MA", 1)}


def test_the_door_quarantines_unknown_codes_by_name_with_the_nearest_and_keeps_empty_as_unknown():
    states = text(["US-MA", "ma", "", "Masachusets", "US-ZZ"])
    admission = admit(raw_portfolio(account_id=text(["a", "b", "c", "d", "e"]), state=states))
    assert admission.portfolio.column("state").tolist() == [b"US-MA", b"US-MA", b""]
    assert admission.quarantine.rule == ("UNKNOWN_CODE", "UNKNOWN_CODE")
    assert admission.quarantine.field == ("state", "state")
    assert "US-MA" in admission.quarantine.remedy[0]
    assert admission.quarantine.value == ("Masachusets", "US-ZZ")
    assert [(one.text, one.code, one.count) for one in admission.normalised] == [("ma", "US-MA", 1)]


@pytest.mark.parametrize("changes", [{"currency_code": "XYZ"}, {"time_zone": "Mars/Olympus"}, {"country_code": "ZZ"}])
def test_the_frame_of_a_portfolio_is_coded_too(changes):
    raw = raw_portfolio(account_id=text(["a"]))
    with pytest.raises(CollectionsError) as refused:
        admit(type(raw)(**{**raw.__dict__, **changes}))
    assert refused.value.violations[0].field == next(iter(changes))
