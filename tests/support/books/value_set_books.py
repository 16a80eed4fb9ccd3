"""Sets of value parameters for tests: small, in order, and told apart by their loss given default."""

from dataclasses import replace
from datetime import date

import numpy as np

from collections_opt.application.resources.approved import Stored
from collections_opt.application.resources.value_sets import ValueSet
from collections_opt.application.settings import bundled_parameters, dump
from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.models.lifecycle import ApprovalMode
from collections_opt.core.resources import ResourceApproval, ResourceKind, ResourceVersion

ANN, BEN = Actor("ann", "ANALYST"), Actor("ben", "OPERATIONS_MANAGER")
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)
SHIPPED = bundled_parameters()
CARD = SHIPPED.products["CREDIT_CARD"]


def values(*products, loss=0.75, portfolios=(), **terms):
    """Return a set of the card's values for products, with a loss given default of their own."""
    held = {name: replace(CARD, loss_given_default=loss) for name in products}
    return ValueSet(replace(SHIPPED, products=held, **terms), tuple(portfolios))


def stored(content, name, version=1, mode=ApprovalMode.PEOPLE):
    """Return a set as a version in force."""
    text = dump(content)
    kind, approval = ResourceKind.VALUE_PARAMETERS, ResourceApproval(BEN, mode, "", "")
    return Stored(ResourceVersion(kind, name, version, JANUARY, text, digest_text(text), "", "", ANN, "", approval), content)


def products(*names):
    """Return the product column of accounts."""
    return np.array([name.encode() for name in names], dtype="S32")
