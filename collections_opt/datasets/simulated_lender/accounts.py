"""The accounts of the simulated lender at birth: products, limits, traits, states and flags, drawn block by block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.datasets.simulated_lender.parameters import LenderParameters

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK_ACCOUNTS = 8_192
"""Accounts that share a random stream. Fixed: an account's bytes depend on the seed and its number alone, never on chunks."""

_BIRTH = 0
_SIGMA_LIMIT_WILLINGNESS = 0.25


@dataclass(frozen=True)
class Accounts:
    """A block's accounts, arrays of length m. No column records traits: willingness to latent.

    Attributes:
        number: int64, number of the account in the book.
        customer: int64, number of the person; some owe two accounts.
        product: int64, index into the products.
        state: int64, index into the states.
        limit: float64 minor units.
        opening_balance: float64 minor units.
        age_months: int64, months on book when the history begins.
        due_day: int64, 1-29.
        willingness: float64, lasting trait in the odds of a cure.
        reach: float64, how easily the person is reached.
        persuadable: float64, the part of contact effects that no column explains.
        kind: int64, latent type of person in worlds that have types, 0 elsewhere.
        latent: float64 (m, 2), further lasting traits of worlds that have them, standard normal at birth.
        flags: bool (m, flags).
    """

    number: Ints
    customer: Ints
    product: Ints
    state: Ints
    limit: Floats
    opening_balance: Floats
    age_months: Ints
    due_day: Ints
    willingness: Floats
    reach: Floats
    persuadable: Floats
    kind: Ints
    latent: Floats
    flags: NDArray[np.bool_]

    def take(self, rows: Ints) -> Accounts:
        """Return some accounts."""
        return Accounts(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


def stream(seed: int, block: int, month: int) -> np.random.Generator:
    """Return the random stream of a block in a month; month -1 is birth."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=(block, month + 1))))


@dataclass(frozen=True)
class Traits:
    """What a form of behaviour makes of a block's accounts at birth: ``willingness``, ``kind``, ``latent`` of ``Accounts``."""

    willingness: Floats
    kind: Ints
    latent: Floats


def further_stream(seed: int, block: int, use: int) -> np.random.Generator:
    """Return a random stream beside the months': use 1 for traits at birth, 2 + step for what is recorded amiss in a month."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=(block, 0, use))))


def born(
    parameters: LenderParameters, seed: int, block: int, traits_of: Callable[[Floats, np.random.Generator], Traits]
) -> Accounts:
    """Return the accounts of a block; their latent traits are ``traits_of`` its first normals and a further stream."""
    rng = stream(seed, block, _BIRTH - 1)
    further = further_stream(seed, block, 1)
    normal = rng.standard_normal((6, BLOCK_ACCOUNTS))
    uniform = rng.random((6 + len(parameters.flags), BLOCK_ACCOUNTS))
    number = block * BLOCK_ACCOUNTS + np.arange(BLOCK_ACCOUNTS)
    product = _choice(uniform[0], [p.share for p in parameters.products])
    traits = traits_of(normal[0], further)
    willingness = traits.willingness
    correlation = parameters.reach_correlation
    limit = np.array([p.limit_median_minor for p in parameters.products])[product] * np.exp(
        np.array([p.limit_spread for p in parameters.products])[product]
        * (_SIGMA_LIMIT_WILLINGNESS * willingness + np.sqrt(1 - _SIGMA_LIMIT_WILLINGNESS**2) * normal[1])
    )
    limit = limit * _tail(parameters, product, further.random(BLOCK_ACCOUNTS))
    utilisation = 1.0 / (1.0 + np.exp(-(0.4 - 1.2 * willingness + 0.6 * normal[2])))
    return Accounts(
        number=number,
        customer=np.where(uniform[1] < 0.08, np.maximum(number - 1, block * BLOCK_ACCOUNTS), number),
        product=product,
        state=_choice(uniform[2], [share for _, _, share in parameters.states]),
        limit=np.round(limit, -3),
        opening_balance=np.maximum(limit * utilisation, 5_000.0),
        age_months=(3 + 60 * uniform[3] ** 1.5).astype(np.int64),
        due_day=(1 + 29 * uniform[4]).astype(np.int64),
        willingness=willingness,
        reach=correlation * willingness + np.sqrt(1 - correlation**2) * normal[3],
        persuadable=normal[4],
        kind=traits.kind,
        latent=traits.latent,
        flags=np.column_stack([uniform[6 + i] < share for i, (_, share) in enumerate(parameters.flags)]),
    )


def _tail(parameters: LenderParameters, product: Ints, uniform: Floats) -> Floats:
    """Return the Pareto factor of products with heavy tails, at most a hundredfold; 1 for the others."""
    exponent = np.array([p.tail_exponent for p in parameters.products])[product]
    return np.where(exponent > 0, np.minimum((1.0 - uniform) ** (-1.0 / np.where(exponent > 0, exponent, 1.0)), 100.0), 1.0)


def _choice(uniform: Floats, shares: list[float]) -> Ints:
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    return np.minimum(np.searchsorted(edges / edges[-1], uniform, side="right"), len(shares) - 1).astype(np.int64)


def names(prefix: str, number: Ints) -> Array:
    """Return ids as an object array of str, int64 numbers padded to nine digits."""
    return np.char.add(prefix, np.char.zfill(number.astype(np.str_), 9)).astype(object)
