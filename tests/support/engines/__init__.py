"""Engines for tests: rows in memory, and on a Spark session of this machine that all tests of a process share."""
