"""Tests of collections-opt."""
