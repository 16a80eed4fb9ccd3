"""How a command ends that cannot use a file: in a sentence that names it, not in a traceback."""

import sys

import pytest

from collections_opt.cli.common.running import REFUSED, run


def ending(command, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["any.py"])
    with pytest.raises(SystemExit) as ended:
        run(command)
    return ended.value.code


def test_a_file_that_cannot_be_used_is_named(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").touch()

    def command() -> None:
        (tmp_path / "file" / "inside").mkdir()

    assert ending(command, monkeypatch) == REFUSED
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("STORAGE_UNAVAILABLE: ")
    assert "cannot be used: not a directory" in said
    assert "Remedy: Name another, or let this user read and write it." in said


def test_an_unexpected_error_is_no_refusal_and_is_shown_without_locals(monkeypatch, capsys):
    def command() -> None:
        account = "secret of a borrower"
        del account
        raise ValueError("planted")

    monkeypatch.setattr(sys, "argv", ["any.py"])
    with pytest.raises(ValueError, match="planted"):
        run(command)
    assert "borrower" not in "".join(capsys.readouterr())
