"""Evaluations of models and effects for a validator."""
