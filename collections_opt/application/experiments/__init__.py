"""Experiments before they start and as they stand: what they would show and cost, and what contact was worth."""
