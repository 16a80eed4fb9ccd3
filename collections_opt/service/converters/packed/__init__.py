"""Accounts and their scores as packed columns: numpy in, numpy out."""
