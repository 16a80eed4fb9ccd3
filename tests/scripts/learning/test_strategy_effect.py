"""A thresholded strategy judged from a file: the published figure as people see it, and what is refused."""

import json

import pandas as pd
import pytest

from tests.support.scripts.processes import call

BUNDLED = "collections_opt/datasets/bundled/recovery_strategy/bank_recovery_strategy.csv"
QUESTION = ("--running", "expected_recovery_amount", "--outcome", "actual_recovery_amount", "--threshold", "1000")


def test_the_bundled_strategy_shows_the_published_jump_its_sensitivity_and_its_checks():
    base = ("--file", BUNDLED, *QUESTION, "--width", "100", "--width", "50", "--cost", "50")
    shown = call("strategy_effect.py", *base, "--treated", "recovery_strategy=Level 1 Recovery", "--covariate", "age", "--json")
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    main = found["main"]["found"]
    assert (round(main["effect"], 2), round(main["standard_error"], 2)) == (277.63, 74.04)
    assert main["robust_standard_error"] > main["standard_error"]
    assert found["net"]["value"] == pytest.approx(main["effect"] - 50)
    assert found["evidence"] == "OBSERVATIONAL"
    assert [jump["width"] for jump in found["others"]] == [50, 100]
    assert found["density"]["p_value"] > 0.05
    assert len(found["placebos"]) == 6
    assert found["take_up"]["effect"] > 0.9
    assert found["concerns"] == []
    text = " ".join(call("strategy_effect.py", *base).stdout.split())
    assert "jumps by +277.63 per account" in text
    assert "more than its cost of 50.00: +227.63 net. Evidence: OBSERVATIONAL." in text
    assert "placebo at 1,100" in text


def test_what_is_wrong_is_refused_in_words_with_exit_code_2(tmp_path):
    def told(file, *flags):
        shown = call("strategy_effect.py", "--file", file, *flags)
        assert shown.returncode == 2, shown.stdout
        return " ".join(shown.stderr.split())

    assert "9 accounts below and 6 above the threshold; 30 of each are needed" in told(BUNDLED, *QUESTION, "--width", "10")
    assert "is not above 0" in told(BUNDLED, *QUESTION, "--width", "-5")
    assert "cannot be read" in told(tmp_path / "absent.csv", *QUESTION, "--width", "100")
    lost = ("--running", "expected", "--outcome", "actual_recovery_amount", "--threshold", "1000", "--width", "100")
    assert "Use one of: id, expected_recovery_amount" in told(BUNDLED, *lost)
    assert "recovery_strategy[0]: 'Level 0 Recovery' is neither yes nor no" in told(
        BUNDLED, *QUESTION, "--width", "100", "--treated", "recovery_strategy"
    )
    table = pd.read_csv(BUNDLED, dtype=str)
    table.loc[7, "actual_recovery_amount"] = "n/a"
    table.to_parquet(tmp_path / "odd.parquet")
    assert "actual_recovery_amount[7]: 'n/a' is not a number" in told(tmp_path / "odd.parquet", *QUESTION, "--width", "100")
