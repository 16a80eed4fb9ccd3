"""A simulated lender with known truth: portfolios over months, outcomes, confounded contact logs with a randomised holdout.

``truth`` holds what every account would do under every action; evaluation alone may read it.
"""

from collections_opt.datasets.simulated_lender.desk import desk_plan
from collections_opt.datasets.simulated_lender.lender import LenderMonth, SimulatedLender
from collections_opt.datasets.simulated_lender.parameters import SOURCES, LenderParameters

__all__ = ["SOURCES", "LenderMonth", "LenderParameters", "SimulatedLender", "desk_plan"]
