"""A jurisdiction as nine lenders write it: bound by its rule or quarantined, and empty read strictly."""

from dataclasses import replace
from pathlib import Path

from collections_opt.core.accounts.admission import admit
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_settings

REPORTS = Path(__file__).parents[2] / "data" / "field_reports"


def test_all_nine_spellings_are_massachusetts_or_the_country_or_unknown():
    mapping = read_settings(REPORTS / "a4_states.toml", FileMapping)
    admission = admit(read_portfolio(REPORTS / "a4_states.csv", mapping).raw)
    found = dict(
        zip(admission.portfolio.column("account_id").tolist(), admission.portfolio.column("state").tolist(), strict=True)
    )
    assert {found.pop(b"unknown"), found.pop(b"usa")} == {b"", b"US"}
    assert set(found.values()) == {b"US-MA"}
    assert len(found) + admission.quarantine.row_count == 7


def test_a_mapping_declares_the_country_of_states_written_alone():
    mapping = replace(read_settings(REPORTS / "a4_states.toml", FileMapping), currency_code="EUR")
    assert admit(read_portfolio(REPORTS / "a4_states.csv", mapping).raw).quarantine.rule == ("UNKNOWN_CODE",)
    declared = replace(mapping, country_code="US")
    assert not admit(read_portfolio(REPORTS / "a4_states.csv", declared).raw).quarantine.rule
