"""Worlds in which the promises of experiments are checked: intervals, power, cost, and that nobody left alone is leased."""
