"""Experiments on contact: who is left alone by a stable draw, what that can show and costs, and how it is read."""
