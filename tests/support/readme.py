"""The README as text, and the address that its examples reach."""

from __future__ import annotations

from tests.support.scripts.processes import ROOT

README = (ROOT / "README.md").read_text()
ADDRESS = "127.0.0.1:50051"
