"""The R-learner: contact effects learned on the residuals of all rows."""
