"""Contact effects by a linear R-learner on all rows of a log, shrunk to the plan's effects, their level from randomised rows."""
