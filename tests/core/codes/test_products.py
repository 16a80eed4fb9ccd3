"""Product codes at the door: a spelling with one reading is held as its code, anything else is told with what is near."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.codes.products import products_near, read_product
from collections_opt.core.errors import CollectionsError, Reason
from tests.support.factories import raw_portfolio, text

KNOWN = ("CREDIT_CARD", "PERSONAL_LOAN", "AUTO-1", "AUTO_1")


@pytest.mark.parametrize("written", ["CREDIT_CARD", "credit card", " Credit-Card ", "creditcard", "ＣＲＥＤＩＴ＿ＣＡＲＤ"])
def test_other_spellings_of_one_code_are_that_code(written):
    assert (read_product(written, KNOWN).code, read_product(written, KNOWN).known) == ("CREDIT_CARD", True)


@pytest.mark.parametrize(("written", "near"), [("CREDIT_CRAD", ("CREDIT_CARD",)), ("mortgage", ()), ("--", ())])
def test_a_text_that_is_none_has_no_reading_and_what_is_near(written, near):
    assert not read_product(written, KNOWN).known
    assert products_near(written, KNOWN) == near


def test_a_text_that_may_be_two_codes_is_neither_but_each_is_itself():
    assert read_product("auto 1", KNOWN).nearest == ("AUTO-1", "AUTO_1")
    assert [read_product(code, KNOWN).code for code in KNOWN] == list(KNOWN)


def test_the_door_normalises_counts_and_quarantines():
    raw = raw_portfolio(
        account_id=text(["a", "b", "c", "d"]), product=text(["credit card", "CREDIT_CARD", "CREDIT_CRAD", "BOAT"])
    )
    admission = admit(replace(raw, products=KNOWN))
    assert admission.portfolio.column("product").tolist() == [b"CREDIT_CARD"] * 2
    assert [(one.field, one.text, one.code, one.count) for one in admission.normalised] == [
        ("product", "credit card", "CREDIT_CARD", 1)
    ]
    found = admission.quarantine
    assert list(zip(found.row.tolist(), found.field, found.rule, strict=True)) == [(r, "product", "UNKNOWN_CODE") for r in (2, 3)]
    assert found.remedy[0] == "Send one of: CREDIT_CARD."
    assert "Declare it" in found.remedy[1]
    assert admit(raw).portfolio.account_count == 4  # nobody declared any
    nothing = admit(replace(raw, products=()))
    assert np.unique(nothing.quarantine.row).size == 4


def test_declared_products_are_checked_themselves():
    raw = raw_portfolio(account_id=text(["a"]))
    with pytest.raises(CollectionsError, match="twice") as refused:
        admit(replace(raw, products=("A", "A")))
    assert refused.value.reason is Reason.INVALID_ARGUMENT
