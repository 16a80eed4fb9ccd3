"""The draw of experiments checked by code that shares nothing with the draw: person by person, with the library's HMAC."""

from __future__ import annotations

import hmac

import numpy as np

from collections_opt.application.evidence.findings import Check
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.problem.assignment import UNASSIGNED

LOOKED_AT = 20_000
"""Accounts drawn anew: evenly spaced ones of those in experiments, all of them where they are fewer."""


def holdout_check(opened: OpenedRanking) -> Check | None:
    """Return whether each arm is what the recorded salt draws, and nobody left alone is worked; None without experiments."""
    named, entries = opened.facts.inputs.experiments, opened.entries
    if not named or entries.experiment is None or entries.arm is None:
        return None
    worked = np.flatnonzero((entries.arm == 2) & (entries.queue != UNASSIGNED))
    if worked.size:
        told = f"Account {entries.account_id[worked[0]].decode()} is worked, though its person was drawn to be left alone."
        return Check("experiments", False, told)
    inside = np.flatnonzero(entries.experiment)
    looked = inside[:: max(1, inside.size // LOOKED_AT)]
    customers, accounts = (opened.portfolio.column(name) for name in ("customer_id", "account_id"))
    for row in looked.tolist():
        design = named[int(entries.experiment[row]) - 1].design
        customer = bytes(customers[row])
        person = b"customer/" + customer if customer else b"account/" + bytes(accounts[row])
        drawn = int.from_bytes(hmac.digest(bytes.fromhex(design.salt), person, "sha256")[:8], "big")
        alone = drawn < (design.share_nano << 64) // 10**9
        if alone != (int(entries.arm[row]) == 2):
            return Check("experiments", False, f"The salt draws another arm for account {accounts[row].decode()}.")
    told = f"{looked.size} of {inside.size} accounts in experiments were drawn anew: every arm is what the recorded salt gives."
    return Check("experiments", True, f"{told} Nobody left alone is in a worklist.")
