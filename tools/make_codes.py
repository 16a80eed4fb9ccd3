"""Write the closed vocabularies of coded facts anew, from the lists of kept libraries, into collections_opt/core/codes.

    python -m venv build/codes
    build/codes/bin/pip install --no-deps iso3166-2==1.8.4 iso4217==1.16.20260101 babel==2.18.0 tzdata==2026.6
    build/codes/bin/python tools/make_codes.py

The lists change a few times a year; nothing that runs needs these libraries.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import json
import xml.etree.ElementTree as ET
from pathlib import Path

from babel import Locale
from babel.core import get_global

TARGET = Path(__file__).resolve().parent.parent / "collections_opt" / "core" / "codes"


def _version(name: str) -> str:
    return f"{name} {importlib.metadata.version(name)}"


def _module(name: str, meaning: str, sources: str, tables: dict[str, tuple[str, dict[str, object]]]) -> None:
    lines = [f'"""{meaning}. Written by tools/make_codes.py from {sources}; do not edit."""', ""]
    lines += ["from __future__ import annotations", ""]
    for constant, (kind, table) in tables.items():
        lines.append(f"{constant}: {kind} = {{")
        lines += [f"    {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in sorted(table.items())]
        lines += ["}", ""]
    (TARGET / f"{name}.py").write_text("\n".join(lines).rstrip("\n") + "\n", encoding="utf-8")


def _currencies() -> dict[str, object]:
    root = ET.fromstring(importlib.resources.files("iso4217").joinpath("table.xml").read_text(encoding="utf-8"))  # noqa: S314 - of a package
    found: dict[str, object] = {}
    for entry in root.iter("CcyNtry"):
        code, units = entry.findtext("Ccy"), entry.findtext("CcyMnrUnts")
        if code and units and units.isdigit():
            found[code] = int(units)
    return found


def _places() -> tuple[dict[str, object], dict[str, object]]:
    # The package itself needs others; its list does not.
    file = importlib.metadata.distribution("iso3166-2").locate_file("iso3166_2/iso3166-2.json")
    subdivisions = json.loads(Path(str(file)).read_text(encoding="utf-8"))
    names = Locale("en").territories
    countries: dict[str, object] = {}
    parts: dict[str, object] = {}
    aliases = get_global("territory_aliases").items()
    three_of = {value[0]: key for key, value in aliases if len(key) == 3 and key.isalpha() and len(value) == 1}
    for code in sorted(subdivisions):
        money = get_global("territory_currencies").get(code, [])
        current = sorted({name for name, _start, end, tender in money if tender and end is None})
        countries[code] = [names.get(code, code), three_of.get(code, ""), *current]
        parts[code] = {key.split("-", 1)[1]: value["name"] for key, value in sorted(subdivisions[code].items())}
    return countries, parts


def _zones() -> dict[str, object]:
    root = importlib.resources.files("tzdata")
    names = [line.strip() for line in root.joinpath("zones").read_text(encoding="utf-8").splitlines()]
    zones: dict[str, object] = {name: [] for name in names if name and name != "Factory"}
    for line in root.joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _place, zone = line.split("\t")[:3]
            zones[zone] = [*zones.get(zone, []), country]  # type: ignore[misc]
    return zones


def _languages() -> dict[str, object]:
    threes = {code: three for three, code in get_global("language_aliases").items() if len(three) == 3 and three.isalpha()}
    return {code: [name, threes.get(code, "")] for code, name in Locale("en").languages.items() if len(code) == 2}


def main() -> None:
    """Write all vocabularies."""
    _module(
        "iso_4217",
        "ISO 4217: currencies in use and the exponent of their minor unit",
        _version("iso4217"),
        {"EXPONENTS": ("dict[str, int]", _currencies())},
    )
    countries, parts = _places()
    _module(
        "iso_3166",
        "ISO 3166: countries (name, alpha-3, currencies in use) and subdivisions by country",
        f"{_version('iso3166-2')} and {_version('babel')}",
        {"COUNTRIES": ("dict[str, list[str]]", countries), "SUBDIVISIONS": ("dict[str, dict[str, str]]", parts)},
    )
    _module(
        "iana_zones",
        "IANA time zones, with the countries that use them",
        _version("tzdata"),
        {"ZONES": ("dict[str, list[str]]", _zones())},
    )
    _module(
        "iso_639",
        "ISO 639: languages with two letters (name, code of three letters)",
        _version("babel"),
        {"LANGUAGES": ("dict[str, list[str]]", _languages())},
    )


if __name__ == "__main__":
    main()
