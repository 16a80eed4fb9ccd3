"""A drafted mapping as TOML with a comment per column: what was recognised, how sure, what is missing and must be corrected."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from collections_opt.core.accounts.column_names import told_column
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA
from collections_opt.core.codes.products import read_product
from collections_opt.core.limits import MAX_LIST_ITEMS
from collections_opt.core.shown_text import visible
from collections_opt.datasets.files.drafting.guessing import LIKELY, SURE, Guess, Guesses, guess
from collections_opt.datasets.files.drafting.looking import LookedFile
from collections_opt.datasets.files.drafting.names import words
from collections_opt.datasets.files.drafting.styles import is_currency
from collections_opt.datasets.files.mappings import CsvFormat, Layout, NumberFormat

_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "zł": "PLN", "kr": "SEK", "R$": "BRL"}
_PRODUCTS = {"card": "CREDIT_CARD", "mortgage": "MORTGAGE", "upb": "MORTGAGE", "vehicle": "AUTO_LOAN", "auto": "AUTO_LOAN"}
_PRODUCTS |= {"loan": "PERSONAL_LOAN", "prncp": "PERSONAL_LOAN", "limit": "CREDIT_CARD", "emi": "PERSONAL_LOAN"}
_US_STATE = re.compile(r"^(US-)?[A-Z]{2}$")


@dataclass(frozen=True)
class Given:
    """What a person knows about a file and the file may not say; empty where they did not say it either."""

    as_of_date: date | None = None
    time_zone: str = ""
    currency_code: str = ""
    product: str = ""


@dataclass(frozen=True)
class Draft:
    """A drafted mapping.

    Attributes:
        text: TOML, to be corrected and then used.
        guesses: what was recognised.
        corrections: what a person must still give, by key.
    """

    text: str
    guesses: Guesses
    corrections: tuple[str, ...] = field(default=())


def draft(file: LookedFile, given: Given) -> Draft:
    """Return a mapping of a file as far as it can be told; what cannot stands commented out, so that it is refused till given."""
    found = guess(file)
    corrections: list[str] = []
    lines = [f"# Drafted from {visible(file.path.name)}: {file.row_count:,} rows looked at. Correct it, then import with it."]
    lines += [f"# {visible(note)}" for note in file.notes]
    lines += [f"# {visible(name)} occurs more than once: no copy is read. Rename one in the file." for name in file.repeated]
    lines.append(f"name = {_toml(file.path.stem)}")
    lines += _facts(file, found, given, corrections)
    keep = [one for guessed in found.columns.values() for one in guessed.keep]
    for rule in keep:
        lines += [
            "",
            "# Rows that are left out, and counted.",
            "[[keep]]",
            *(f"{key} = {_toml(value)}" for key, value in rule.items()),
        ]
    lines += _section("csv", file.csv, CsvFormat(), found.decimal_point)
    lines += _section("numbers", found.numbers, NumberFormat())
    lines += _section("layout", file.layout, Layout())
    lines += ["", "[columns]"]
    for name, column in ACCOUNT_SCHEMA.items():
        lines += _column(name, column.meaning, found.columns.get(name), given, corrections, _product(file))
    unread = [visible(name) for name in found.unread]
    if unread:
        lines += ["", f"# Not read: {', '.join(unread)[:2000]}."]
    return Draft("\n".join(lines) + "\n", found, tuple(corrections))


def _facts(file: LookedFile, found: Guesses, given: Given, corrections: list[str]) -> list[str]:
    lines = []
    if given.as_of_date:
        lines.append(f"as_of_date = {given.as_of_date.isoformat()}")
    else:
        corrections.append("as_of_date")
        lines.append("# MISSING: the day that the file describes; nothing in a file says it for sure.")
        lines.append("# as_of_date = 2026-01-31")
    zone, zone_why = (given.time_zone, "given") if given.time_zone else _zone(file, found)
    lines += _fact("time_zone", zone, zone_why, "your zone, an IANA name such as America/Chicago", corrections)
    code, code_why = (given.currency_code, "given") if given.currency_code else _currency(file, found)
    lines += _fact("currency_code", code, code_why, "the currency of every amount, such as USD", corrections)
    return lines + _declared_products(file, found)


def _declared_products(file: LookedFile, found: Guesses) -> list[str]:
    """Return the line that declares product codes which stand in the file as they are held."""
    guessed = found.columns.get("product")
    if guessed is None or not guessed.sources or guessed.keys.get("values"):
        return []
    codes: list[str] = []
    for code, _ in Counter(file.cells[guessed.sources[0]]).most_common(MAX_LIST_ITEMS):
        if code and not read_product(code, codes).known:  # of several spellings the most frequent one
            codes.append(code)
    note = f"# The codes that {visible(guessed.sources[0])} holds: strike what is none; any other is quarantined."
    return [note, f"products = {_toml(sorted(codes))}"]


def _fact(key: str, value: str, why: str, meaning: str, corrections: list[str]) -> list[str]:
    if value:
        return [f"{key} = {_toml(value)}" + ("" if why == "given" else f"  # NOT SURE: {why}")]
    corrections.append(key)
    return [f"# MISSING: {meaning}.", f'# {key} = ""']


def _zone(file: LookedFile, found: Guesses) -> tuple[str, str]:
    guessed = found.columns.get("time_zone")
    if guessed is None:
        return "", ""
    held = Counter(file.cells[guessed.sources[0]]).most_common(1)
    return (held[0][0], f"most rows of {guessed.sources[0]} are in it") if held else ("", "")


def _currency(file: LookedFile, found: Guesses) -> tuple[str, str]:
    for name in file.cells:
        if words(name) in ("currency", "currency code", "ccy", "curr", "iso currency") and file.cells[name]:
            most = Counter(one.upper() for one in file.cells[name]).most_common(1)[0][0]
            if is_currency(most):
                return most, f"most rows of {name} are in it"
    for sign in found.numbers.currency_signs:
        code = _SIGNS.get(sign, sign.upper())
        if is_currency(code):
            return code, f"amounts carry {sign}"
    state = found.columns.get("state")
    if state is not None and all(_US_STATE.match(one) for one in set(file.cells[state.sources[0]])):
        return "USD", f"{state.sources[0]} holds US states"
    return "", ""


def _product(file: LookedFile) -> str:
    """Return the product that the names of file and columns speak of; empty where they speak of none or of several."""
    said = Counter(_PRODUCTS[word] for name in (*file.names, file.path.stem) for word in words(name).split() if word in _PRODUCTS)
    return said.most_common(1)[0][0] if said else ""


def _column(name: str, meaning: str, found: Guess | None, given: Given, corrections: list[str], product: str) -> list[str]:
    required, told = ACCOUNT_SCHEMA[name].required, told_column(name)
    if found is not None:
        sure = "sure" if found.sureness >= SURE else "likely" if found.sureness >= LIKELY else "NOT SURE"
        return [f"# {told}: {sure} ({found.sureness:.0%}), {visible(found.why)}.", f"{told} = {_toml(found.keys)}"]
    if name == "product" and (given.product or product):
        note = "given" if given.product else "NOT SURE: the names of the file's columns speak of it"
        return [
            f"# product: {note}. It decides loss, conversion and queues.",
            f"product = {{ constant = {_toml(given.product or product)} }}",
        ]
    if required:
        corrections.append(f"columns.{told}")
        return [f"# MISSING and required: {meaning}", f'# {told} = {{ source = "" }}']
    return []


def _section(title: str, made: Any, usual: Any, decimal_point: str = "") -> list[str]:
    lines = [
        f"{key} = {_toml(getattr(made, key))}"
        for key in made.__dataclass_fields__
        if getattr(made, key) != getattr(usual, key) and key != "decimal_point"
    ]
    if decimal_point not in ("", "."):
        lines.append(f"decimal_point = {_toml(decimal_point)}")
    return ["", f"[{title}]", *lines] if lines else []


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{"".join(map(_character, str(value)))}"'


def _character(one: str) -> str:
    if one in '"\\':
        return f"\\{one}"
    return one if one.isprintable() else f"\\U{ord(one):08X}"


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _toml(text)
