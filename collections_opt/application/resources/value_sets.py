"""Value parameters as approved resources: which version in force gives each product of a portfolio its values.

A set that names the portfolio goes before one that names none, and what people approved before what a release ships. Nothing is
guessed beyond that: two sets of one level that give the same product are refused, and so is a product that no set gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.resources.approved import ApprovedResources, ResourceFormat, SavedContent, Stored
from collections_opt.application.settings import dump, load
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text, distinct
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import MAX_ID_CHARACTERS, MAX_TEXT_CHARACTERS
from collections_opt.core.made_once import MadeOnce
from collections_opt.core.models.lifecycle import ApprovalMode
from collections_opt.core.names import list_violations
from collections_opt.core.resources import ResourceKind
from collections_opt.core.value.order import violations
from collections_opt.core.value.parameters import NO_FLAT_VALUES, ProductValues, ValueParameters, missing_values

SHIPPED_ID = "shipped-values"
"""Id of the set that a release ships, or that a server is started with."""

FROM_THE_START = date(1970, 1, 1)
"""First day of that set: it serves every portfolio, of whatever day."""

SHIPPED_BY = Actor("release")
"""Who saves what a release ships."""

_PATTERN = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_ID_CHARACTERS}}}\*?")
_TERMS = ("discount_rate", "horizon_days", "cost_basis")
_REMEDY = "Save the next version of one of them without it, or with the portfolios that it serves."


@dataclass(frozen=True)
class ValueSet:
    """What a version holds.

    Attributes:
        parameters: values by product, each with its source, and what is common to them: rate, horizon and cost basis.
        portfolios: ids of the portfolios that it serves, or beginnings of ids that end in ``*``; empty for every portfolio.
    """

    parameters: ValueParameters
    portfolios: tuple[str, ...] = ()

    def names(self, portfolio_id: str) -> bool:
        """Return whether it names a portfolio; "" is none."""
        return any(
            portfolio_id.startswith(each[:-1]) if each.endswith("*") else portfolio_id == each
            for each in self.portfolios
            if portfolio_id
        )


class ValuesFrom(StrEnum):
    """Where the values of a ranking come from."""

    IN_FORCE = "IN_FORCE"
    """From the sets that were in force when it was asked for."""
    CALL = "CALL"
    """From the call that asked for it: no second person stands behind them."""


@dataclass(frozen=True)
class ValueChoice:
    """Which version gives a product its values; ``digest`` is that of the version's content."""

    product: str
    resource_id: str
    version: int
    digest: str
    mode: ApprovalMode

    @property
    def name(self) -> str:
        """What people call it: id and version."""
        return f"{self.resource_id}/{self.version}"


@dataclass(frozen=True)
class ChosenValues:
    """The values of a portfolio's products, and which version gives each, by product; none where a call carried its own."""

    parameters: ValueParameters
    choices: tuple[ValueChoice, ...]

    @property
    def source(self) -> ValuesFrom:
        """Where they come from."""
        return ValuesFrom.IN_FORCE if self.choices else ValuesFrom.CALL


@lru_cache(maxsize=256)
def _load(text: str) -> ValueSet:
    """Return a set of its text; every call that values accounts reads the sets in force."""
    return load(text, ValueSet)


def check_value_set(content: ValueSet) -> None:
    """Refuse a set whose parameters are no values by product in order, or that names what is no portfolio.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault, naming product and bucket.
    """
    found = list(_violations(content))
    if found:
        message = str(found[0]) if len(found) == 1 else f"{len(found)} field(s) of the values at fault: {found[0]}"
        raise CollectionsError(Reason.INVALID_ARGUMENT, message, tuple(found))


VALUE_SETS: ResourceFormat[ValueSet] = ResourceFormat(ResourceKind.VALUE_PARAMETERS, dump, _load, check_value_set)
"""How value parameters are kept."""


class ValueSets:
    """The stored sets of value parameters.

    Attributes:
        resources: saves, approves and shows them.
    """

    def __init__(self, resources: ApprovedResources[ValueSet]) -> None:
        self.resources = resources

    def ship(self, parameters: ValueParameters) -> None:
        """Keep what the release ships; it gives way to what people saved under its id, and to every set that they approved."""
        self.resources.declare(SavedContent(SHIPPED_ID, FROM_THE_START, ValueSet(parameters), note="shipped"), SHIPPED_BY)

    def declare(self, parameters: ValueParameters, by: Actor) -> None:
        """Keep what whoever starts a server declares, in place of what the release ships.

        Raises:
            CollectionsError: as ``ApprovedResources.declare``: who starts a server does not overrule who approved.
        """
        by_product = ValueSet(replace(parameters, **NO_FLAT_VALUES))  # as it would be saved over the API
        new = SavedContent(SHIPPED_ID, FROM_THE_START, by_product, note="declared at the start of the server")
        self.resources.declare(new, by, ApprovalMode.SELF_APPROVED)

    def choose(self, portfolio_id: str, product: NDArray[np.bytes_], day: date) -> ChosenValues:
        """Return the values in force on a day for accounts of a portfolio, as ``choose_values``."""
        return choose_values(self.resources.in_force(day), portfolio_id, product)

    def products(self, portfolio_id: str, day: date) -> tuple[str, ...]:
        """Return the products that values in force on a day are for, of a portfolio; "" is none."""
        return tuple(_givers(self.resources.in_force(day), portfolio_id))

    def settle(self, carried: ValueParameters | None, portfolio_id: str, portfolio: Portfolio) -> ChosenValues:
        """Return the values of a call: those that it carries, else those in force on the portfolio's as-of date.

        Raises:
            CollectionsError: as ``choose_values``; what a call carries is checked where it is used.
        """
        if carried is not None:
            return ChosenValues(carried, ())
        return self.choose(portfolio_id, portfolio.column("product"), portfolio.as_of_date)

    def difference(self, parameters: ValueParameters, choices: Sequence[ValueChoice]) -> str:
        """Return the first product whose values are not those of the version it names, in words; empty when all are.

        Looks the versions up and compares value by value: it knows nothing of how they were chosen.
        """
        return choice_difference(parameters, choices, self.resources.version)


def choose_values(in_force: Sequence[Stored[ValueSet]], portfolio_id: str, product: NDArray[np.bytes_]) -> ChosenValues:
    """Return the values of accounts from the sets in force.

    Other products of the sets that are chosen come along, where no other set gives them: an account that is placed later may have
    one.

    Args:
        in_force: the versions in force, by id.
        portfolio_id: whose accounts; "" for none, which only sets that name no portfolio serve.
        product: bytes (n,) product code of each account; empty asks for every product that has values.

    Raises:
        CollectionsError: VALUES_MISSING naming every product that no set gives and its count of accounts;
            RESOURCE_STATE_CONFLICT naming the sets that give the same product, or that do not share rate, horizon or cost basis.
    """
    asked = distinct(product)[0]
    asks = (portfolio_id, *asked.tolist())
    return _CHOSEN.get(tuple(in_force), lambda: _chosen(in_force, portfolio_id, product, asked), asks)


_CHOSEN: MadeOnce[ChosenValues] = MadeOnce()  # for the products of earlier calls, while the same versions are in force


def _chosen(
    in_force: Sequence[Stored[ValueSet]], portfolio_id: str, product: NDArray[np.bytes_], asked: NDArray[np.bytes_]
) -> ChosenValues:
    """Return the values of accounts whose distinct products are ``asked``, as ``choose_values``."""
    givers = _givers(in_force, portfolio_id)
    known = [name.encode() for name in givers]
    asked = asked if product.size else np.array(known)
    if not np.isin(asked, known).all() or not asked.size:
        unknown = ~np.isin(product, known)
        raise missing_values(product[unknown], tuple(givers)) if product.size else _nothing_in_force(portfolio_id)
    named = [name.decode() for name in asked.tolist()]
    _refuse_shared({name: givers[name] for name in named})
    chosen = {name: givers[name][0] for name in named}
    used = {each.version.name: each for each in chosen.values()}
    _refuse_other_terms(list(used.values()))
    along = {name: sets[0] for name, sets in givers.items() if len(sets) == 1 and sets[0].version.name in used}
    return _combined({**along, **chosen})


def choice_difference(
    parameters: ValueParameters, choices: Sequence[ValueChoice], version: Callable[[str, int], Stored[ValueSet]]
) -> str:
    """Return where values are not those of the versions that are named for them, in words; empty when they are.

    Args:
        parameters: the values that were used.
        choices: what was named for each product.
        version: returns a stored version; raises NOT_FOUND.
    """
    products = parameters.by_product()
    named = {choice.product: choice for choice in choices}
    if products.keys() != named.keys():
        return f"values are of {', '.join(sorted(products))}, versions are named for {', '.join(sorted(named))}"
    for product, choice in sorted(named.items()):
        stored = version(choice.resource_id, choice.version)
        held = stored.content.parameters
        if stored.version.digest != choice.digest:
            return f"{choice.name} holds other content than what was named for {product}"
        if stored.version.approval is None:
            return f"{choice.name}, which is named for {product}, was never approved"
        if held.products.get(product) != products[product]:
            return f"the values of {product} are not those of {choice.name}"
        other = [term for term in _TERMS if getattr(held, term) != getattr(parameters, term)]
        if other:
            return f"{other[0]} is not that of {choice.name}"
    return ""


def _givers(in_force: Sequence[Stored[ValueSet]], portfolio_id: str) -> dict[str, list[Stored[ValueSet]]]:
    """Return by product the sets of the highest level that give it; two of one level are both there."""
    found: dict[str, list[Stored[ValueSet]]] = {}
    for level in (_names_it, _of_people, _shipped):
        here: dict[str, list[Stored[ValueSet]]] = {}
        for each in in_force:
            if level(each, portfolio_id):
                for name in each.content.parameters.products:
                    here.setdefault(name, []).append(each)
        found = {**here, **found}
    return dict(sorted(found.items()))


def _names_it(stored: Stored[ValueSet], portfolio_id: str) -> bool:
    return stored.content.names(portfolio_id)


def _of_people(stored: Stored[ValueSet], _portfolio_id: str) -> bool:
    return not stored.content.portfolios and not _is_shipped(stored)


def _shipped(stored: Stored[ValueSet], _portfolio_id: str) -> bool:
    return not stored.content.portfolios and _is_shipped(stored)


def _is_shipped(stored: Stored[ValueSet]) -> bool:
    approval = stored.version.approval
    return approval is not None and approval.mode is ApprovalMode.BOOTSTRAP


def _refuse_shared(givers: Mapping[str, Sequence[Stored[ValueSet]]]) -> None:
    found = tuple(
        FieldViolation(
            "value_parameters.products",
            f"{name} has values in {' and '.join(each.version.name for each in sets)}, both in force.",
            _REMEDY,
        )
        for name, sets in givers.items()
        if len(sets) > 1
    )
    if found:
        raise CollectionsError(Reason.RESOURCE_STATE_CONFLICT, str(found[0]), found)


def _refuse_other_terms(used: Sequence[Stored[ValueSet]]) -> None:
    """Refuse sets that one ranking cannot take together: it has one discount rate, one horizon and one cost basis."""
    first = used[0]
    for other in used[1:]:
        for term in _TERMS:
            mine, theirs = getattr(first.content.parameters, term), getattr(other.content.parameters, term)
            if mine != theirs:
                raise refuse(
                    Reason.RESOURCE_STATE_CONFLICT,
                    f"value_parameters.{term}",
                    f"is {mine} in {first.version.name} and {theirs} in {other.version.name}, which serve one portfolio.",
                    "Save the next version of one of them with that of the other.",
                )


def _combined(chosen: Mapping[str, Stored[ValueSet]]) -> ChosenValues:
    products: dict[str, ProductValues] = {}
    choices = []
    for name, stored in sorted(chosen.items()):
        products[name] = stored.content.parameters.products[name]
        held = stored.version
        assert held.approval is not None  # what is in force was approved
        choices.append(ValueChoice(name, held.resource_id, held.version, held.digest, held.approval.mode))
    used = {stored.version.name: stored.content.parameters for stored in chosen.values()}
    first = next(iter(used.values()))
    version = first.version if len(used) == 1 else _version_of(sorted(used))
    return ChosenValues(replace(first, version=version, products=products), tuple(choices))


def _version_of(names: Sequence[str]) -> str:
    """Return what parameters of several sets are called: their versions, or where those are too long their count and digest."""
    told = ", ".join(names)
    return told if len(told) <= MAX_TEXT_CHARACTERS else f"{len(names)} sets, {digest_text(told)[:16]}"


def _nothing_in_force(portfolio_id: str) -> CollectionsError:
    return refuse(
        Reason.VALUES_MISSING,
        "value_parameters.products",
        f"no values are in force for {portfolio_id or 'portfolios that no set names'}.",
        "Save a set and have a second person approve it: scripts/parameters.py.",
    )


def _violations(content: ValueSet) -> Iterator[FieldViolation]:
    if not content.parameters.products:
        yield FieldViolation("products", "is empty.", "Give values by product, each with its source.")
    if not content.parameters.in_order:
        yield FieldViolation("in_order", "is not set.", "Values must keep the order of outcomes.")
    yield from violations(content.parameters)
    yield from list_violations("portfolios", content.portfolios)
    for index, each in enumerate(content.portfolios):
        if not _PATTERN.fullmatch(each):
            yield FieldViolation(
                f"portfolios[{index}]",
                f"{each[:40]!r} is no portfolio.",
                "Give ids, or beginnings of ids that end in '*'; none for every portfolio.",
            )
