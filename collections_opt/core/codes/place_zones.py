"""The time zones that a place lies in, for accounts that do not say theirs.

Countries are as the IANA list has them. Parts of the United States, Canada and Australia are listed here after the comments of
tzdata's zone.tab; a part that lies in several zones has all of them, also where only a few towns keep the second.
"""

from __future__ import annotations

from functools import cache

from collections_opt.core.codes.iana_zones import ZONES

_EASTERN, _CENTRAL, _MOUNTAIN, _PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
_ALASKA = tuple(f"America/{name}" for name in ("Anchorage", "Juneau", "Sitka", "Metlakatla", "Yakutat", "Nome", "Adak"))
_WHOLE_US = {
    _EASTERN: "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    _CENTRAL: "AL AR IA IL LA MN MO MS OK WI",
    _MOUNTAIN: "CO MT NM UT WY",
    _PACIFIC: "CA WA",
    "Pacific/Honolulu": "HI",
    "Pacific/Pago_Pago": "AS",
    "Pacific/Guam": "GU MP",
    "America/Puerto_Rico": "PR VI",
}
_PARTS: dict[str, tuple[str, ...]] = {
    **{f"US-{state}": (zone,) for zone, states in _WHOLE_US.items() for state in states.split()},
    "US-AK": _ALASKA,
    "US-AZ": ("America/Phoenix", _MOUNTAIN),
    "US-FL": (_EASTERN, _CENTRAL),
    "US-ID": ("America/Boise", _PACIFIC),
    "US-IN": ("America/Indiana/Indianapolis", _CENTRAL),
    "US-KS": (_CENTRAL, _MOUNTAIN),
    "US-KY": (_EASTERN, _CENTRAL),
    "US-MI": ("America/Detroit", "America/Menominee"),
    "US-ND": (_CENTRAL, _MOUNTAIN),
    "US-NE": (_CENTRAL, _MOUNTAIN),
    "US-NV": (_PACIFIC, _MOUNTAIN),
    "US-OR": (_PACIFIC, "America/Boise"),
    "US-SD": (_CENTRAL, _MOUNTAIN),
    "US-TN": (_EASTERN, _CENTRAL),
    "US-TX": (_CENTRAL, _MOUNTAIN),
    "US-UM": ("Pacific/Midway", "Pacific/Wake"),
    "CA-AB": ("America/Edmonton",),
    "CA-BC": ("America/Vancouver", "America/Edmonton", "America/Dawson_Creek", "America/Fort_Nelson", "America/Creston"),
    "CA-MB": ("America/Winnipeg",),
    "CA-NB": ("America/Moncton",),
    "CA-NL": ("America/St_Johns", "America/Goose_Bay"),
    "CA-NS": ("America/Halifax", "America/Glace_Bay"),
    "CA-NT": ("America/Edmonton", "America/Inuvik"),
    "CA-NU": ("America/Iqaluit", "America/Rankin_Inlet", "America/Resolute", "America/Cambridge_Bay"),
    "CA-ON": ("America/Toronto", "America/Winnipeg", "America/Atikokan"),
    "CA-PE": ("America/Halifax",),
    "CA-QC": ("America/Toronto", "America/Halifax", "America/Blanc-Sablon"),
    "CA-SK": ("America/Regina", "America/Swift_Current", "America/Edmonton"),
    "CA-YT": ("America/Whitehorse", "America/Dawson"),
    "AU-ACT": ("Australia/Sydney",),
    "AU-NSW": ("Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"),
    "AU-NT": ("Australia/Darwin",),
    "AU-QLD": ("Australia/Brisbane", "Australia/Lindeman"),
    "AU-SA": ("Australia/Adelaide",),
    "AU-TAS": ("Australia/Hobart",),
    "AU-VIC": ("Australia/Melbourne",),
    "AU-WA": ("Australia/Perth", "Australia/Eucla"),
}


@cache
def zones_of_place(code: str) -> tuple[str, ...]:
    """Return every IANA zone that a place may lie in, sorted.

    Args:
        code: ISO 3166-1 or 3166-2, or a place within; "" is anywhere. A country has the zones of all its parts, territories of
            the United States included; one without zones of its own is read as anywhere.
    """
    country, _, rest = code.partition("-")
    part = _PARTS.get(f"{country}-{rest.split('-')[0]}") if rest else None
    if part is not None:
        return tuple(sorted(part))
    own = {zone for zone, countries in ZONES.items() if country in countries} if country else set()
    own.update(zone for part_code, zones in _PARTS.items() if country and part_code.startswith(f"{country}-") for zone in zones)
    return tuple(sorted(own or {zone for zone, countries in ZONES.items() if countries}))
