"""Random ugly files are read right or refused with the cause; bugs planted in the readers are noticed."""

import numpy as np
import pytest

from collections_opt.datasets.files.cells import dates, numbers
from collections_opt.datasets.files.opening import opened, text
from harness.ugly_files import judge, make

FILES = 250


def wrong_files(folder, seeds):
    found = {}
    for seed in seeds:
        ugly = make(seed, folder)
        wrong = judge(ugly)
        if wrong:
            found[seed] = wrong
        ugly.path.unlink()
    return found


def test_ugly_files_are_read_to_the_clean_files_values(tmp_path):
    assert wrong_files(tmp_path, range(20_000, 20_000 + FILES)) == {}


def lose_broken_rows(monkeypatch):
    real = opened.FileChunk
    monkeypatch.setattr(opened, "FileChunk", lambda table, lines, broken=(): real(table, lines, ()))


def take_any_day(monkeypatch):
    real = dates.calendar_days

    def lenient(year, month, day):
        days, exists = real(year, month, np.minimum(day, 28))
        return days + (day - np.minimum(day, 28)).astype("timedelta64[D]"), exists

    monkeypatch.setattr(dates, "calendar_days", lenient)


def forget_the_minus(monkeypatch):
    real = numbers.NumberReader._bare

    def bare(self, texts):
        plain, factor, wrong = real(self, texts)
        return plain, np.abs(factor), wrong

    monkeypatch.setattr(numbers.NumberReader, "_bare", bare)


def keep_the_footer(monkeypatch):
    monkeypatch.setattr(text, "_without_last", lambda parts, count: parts)


@pytest.mark.parametrize("plant", [lose_broken_rows, take_any_day, forget_the_minus, keep_the_footer])
def test_a_planted_bug_is_noticed(tmp_path, monkeypatch, plant):
    plant(monkeypatch)
    assert wrong_files(tmp_path, range(20_000, 20_080))
