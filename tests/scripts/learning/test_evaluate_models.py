"""The evaluation as a validator runs it: the figures that must hold, the alarm, and a page that loads nothing."""

import json

import pytest

from tests.support.models.folders import SHIPPED, SHIPPED_VERSION
from tests.support.scripts.processes import call


def test_the_evaluation_shows_what_it_must_and_its_page_is_complete(tmp_path):
    shown = call("evaluate_models.py", "--out", tmp_path, "--json")
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    cure = found["model"]["classes"]["cure"]
    assert 0.7965 <= cure["auc"]["value"] <= 0.8238
    shipped = json.loads((SHIPPED / "outcome" / SHIPPED_VERSION / "manifest.json").read_text())
    for name in ("auc", "slope", "intercept"):
        interval = [cure[name]["low"], cure[name]["high"]]
        assert shipped["metric_intervals"][f"cure_{name}"] == pytest.approx(interval, abs=1e-6)
    assert {"60-89 days past due", "90-119 days past due"} <= set(found["model"]["segments"])
    assert sum(name.startswith("balance ") for name in found["model"]["segments"]) == 4
    assert not any(name.startswith(("product", "state")) for name in found["model"]["segments"])
    for name, judged in found["model"]["classes"].items():
        assert judged["slope"]["low"] <= 1 <= judged["slope"]["high"], name
    assert found["model"]["classes"]["default"]["ece"] <= 0.015
    assert any("2005-09 cure" in alarm for alarm in found["model"]["alarms"])
    october = found["october_auc"]
    assert 0.775 <= october["with September's status"] <= 0.80
    assert october["without"] < october["with September's status"] - 0.02
    page = (tmp_path / "evaluation.html").read_text()
    assert page.count("<svg") == 7
    assert "2005-08: worst calibrated: " in page[page.index("<h1>") : page.index("</h1>")]
    effects = found["effects"]
    assert effects["simulated"]
    assert "SIMULATED: no person, no lender" in page
    assert page.index("SIMULATED: no person") < page.index("Whom contact helps (Qini)")
    assert effects["curves"]["predicted effect"]["qini"]["low"] > 0
    assert [cell["name"] for cell in effects["cells"][:2]] == ["all", "queue early-calls"]
    assert effects["cells"][0]["contacted_count"] + effects["cells"][0]["held_out_count"] == effects["row_count"]
    assert all(cell["observed"]["low"] < cell["observed"]["high"] for cell in effects["cells"] if cell["observed"])
    assert not any(loads in page for loads in ('src="http', 'href="http', "@import", "<script"))
    assert "September" in page
    assert json.loads((tmp_path / "evaluation.json").read_text()) == found
