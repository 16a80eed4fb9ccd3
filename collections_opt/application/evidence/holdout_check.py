"""The draw of experiments checked by code that shares nothing with the draw: person by person, with the library's HMAC."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np

from collections_opt.application.evidence.findings import Check
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.experiments.design import ExperimentDesign
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED
from collections_opt.core.value.valued_accounts import ValuedAccounts

LOOKED_AT = 20_000
"""Accounts drawn anew: evenly spaced ones of those in experiments, all of them where they are fewer."""

_CONTACT, _HELD_OUT, _RANDOM_QUEUE, _OTHER_PLAN = 1, 2, 3, 4


def holdout_check(opened: OpenedRanking, valued: ValuedAccounts) -> Check | None:
    """Return whether arms and queues are what the recorded salt draws, and the work keeps to them; None without experiments."""
    named, entries = opened.facts.inputs.experiments, opened.entries
    if not named or entries.experiment is None or entries.arm is None:
        return None
    worked = np.flatnonzero((entries.arm == _HELD_OUT) & (entries.queue != UNASSIGNED))
    if worked.size:
        told = f"Account {entries.account_id[worked[0]].decode()} is worked, though its person was drawn to be left alone."
        return Check("experiments", False, told)
    wrong = _plans_apart(opened)
    if wrong:
        return Check("experiments", False, wrong)
    inside = np.flatnonzero(entries.experiment)
    looked = inside[:: max(1, inside.size // LOOKED_AT)]
    customers, accounts = (opened.portfolio.column(name) for name in ("customer_id", "account_id"))
    queue_ids = [queue.queue_id for queue in opened.plan.queues]
    for row in looked.tolist():
        design = named[int(entries.experiment[row]) - 1].design
        customer = bytes(customers[row])
        person = b"customer/" + customer if customer else b"account/" + bytes(accounts[row])
        drawn = _first8(bytes.fromhex(design.salt), person) < (design.share_nano << 64) // 10**9
        arm = _arm_of(design, drawn, opened.facts.inputs.plan_id)
        if arm != int(entries.arm[row]):
            return Check("experiments", False, f"The salt draws another arm for account {accounts[row].decode()}.")
        if arm == _RANDOM_QUEUE:
            able = [name for name, cell in zip(queue_ids, valued.problem.value[row], strict=True) if cell != INELIGIBLE]
            keys = {name: hashlib.sha256(f"{design.salt}/queue/{name}".encode()).digest() for name in able}
            there = min(able, key=lambda name: _first8(keys[name], person), default="")
            told_queue = int(entries.best_queue[row])
            told = "" if told_queue == UNASSIGNED else queue_ids[told_queue]
            if told != there or entries.queue[row] not in (UNASSIGNED, told_queue):
                return Check("experiments", False, f"The salt draws another queue for account {accounts[row].decode()}.")
    told = f"{looked.size} of {inside.size} accounts in experiments were drawn anew: every arm is what the recorded salt gives."
    queues = " So is every queue that was drawn." if any(one.design.arm == "RANDOM_QUEUE" for one in named) else ""
    plans = "" if not any(one.design.arm == "TWO_PLANS" for one in named) else " Nobody of the other plan is in one either."
    return Check("experiments", True, f"{told}{queues} Nobody left alone is in a worklist.{plans}")


def _arm_of(design: ExperimentDesign, drawn: bool, plan_id: str) -> int:
    """Return the arm of a person whom the salt draws, or not, in a ranking of a plan."""
    if design.arm == "TWO_PLANS":
        return _CONTACT if plan_id == (design.challenger_plan_id if drawn else design.plan_id) else _OTHER_PLAN
    if not drawn:
        return _CONTACT
    return _HELD_OUT if design.arm == "HOLDOUT" else _RANDOM_QUEUE


def _plans_apart(opened: OpenedRanking) -> str:
    """Return what lets somebody be worked by two plans that share the work, or by neither; "" for nothing."""
    entries, inputs = opened.entries, opened.facts.inputs
    assert entries.arm is not None
    assert entries.experiment is not None
    worked = np.flatnonzero((entries.arm == _OTHER_PLAN) & (entries.queue != UNASSIGNED))
    if worked.size:
        return f"Account {entries.account_id[worked[0]].decode()} is worked, though its person was drawn for another plan."
    for named in inputs.experiments:
        design = named.design
        if design.arm != "TWO_PLANS":
            continue
        if inputs.plan_id not in (design.plan_id, design.challenger_plan_id):
            return f"{named.name} shares the work between two other plans than {inputs.plan_id}."
        if (entries.experiment == 0).any():
            out = entries.account_id[np.flatnonzero(entries.experiment == 0)[0]].decode()
            return f"Account {out} belongs to neither plan of {named.name}: both could work it."
    return ""


def _first8(key: bytes, person: bytes) -> int:
    return int.from_bytes(hmac.digest(key, person, "sha256")[:8], "big")
