"""Who is let in, and what every answer says to the browser: over HTTP, against a console and a server that asks for tokens."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from collections_opt.console.pages import PAGES
from collections_opt.console.serving import ConsoleServer, Listening
from collections_opt.console.sessions import IDLE
from collections_opt.console.views import ROUTES
from collections_opt.core.errors import CollectionsError
from tests.support.console.callers import Caller
from tests.support.console.desk import HOSTILE, shown


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with shown(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture
def ann(desk):
    caller = Caller(desk.url)
    caller.sign_in(desk.token())
    return caller


@pytest.mark.parametrize("path", sorted({path for path, _, _ in ROUTES}))
def test_without_a_session_every_page_leads_to_the_sign_in(desk, path):
    for form in (None, {"account": "a001"}):
        answer, text = Caller(desk.url).send(path, form)
        assert answer.status in (303, 405)
        assert answer.getheader("Location", "/sign-in") == "/sign-in"
        assert "a001" not in text


@pytest.mark.parametrize("given", ["", "no token", "a.b.c"])
def test_what_is_no_token_opens_nothing(desk, given):
    caller = Caller(desk.url)
    answer, text = caller.send("/sign-in", {"token": given})
    assert answer.status == 401
    assert not caller.cookie
    assert "token" in text


def test_a_token_of_another_issuer_opens_nothing(desk):
    answer, _ = Caller(desk.url).send("/sign-in", {"token": desk.token(issuer="elsewhere")})
    assert answer.status == 401


def test_the_cookie_is_for_this_site_and_no_script(desk):
    told = Caller(desk.url).sign_in(desk.token()).getheader("Set-Cookie").lower()
    assert "httponly" in told
    assert "samesite=strict" in told
    assert "secure" not in told.replace("samesite", "")


def test_behind_tls_the_cookie_goes_over_nothing_else(tmp_path):
    with shown(tmp_path, ranked=False, secure=True) as desk:
        answer = Caller(desk.url).sign_in(desk.token())
        assert "; secure" in answer.getheader("Set-Cookie").lower()
        assert answer.getheader("Strict-Transport-Security")


def test_another_site_can_sign_nobody_in(desk):
    caller = Caller(desk.url)
    for headers in ({"Origin": "http://evil.test"}, {"Sec_Fetch_Site": "cross-site"}, {"Origin": "null"}):
        answer, _ = caller.send("/sign-in", {"token": desk.token()}, **headers)
        assert answer.status == 400
        assert not caller.cookie


def test_a_form_without_the_session_s_secret_does_nothing(desk, ann):
    for csrf in ("", "guessed", ann.csrf()[:-1]):
        answer, text = ann.send("/account", {"account": "a001", "csrf": csrf})
        assert answer.status == 400
        assert "was not made by this page" in text
    answer, _ = ann.send("/account", {"account": "a001", "csrf": ann.csrf()})
    assert answer.status == 200


def test_the_secret_of_one_session_is_none_of_another(desk, ann):
    bob = Caller(desk.url)
    bob.sign_in(desk.token(name="bob"))
    assert ann.send("/account", {"account": "a001", "csrf": bob.csrf()})[0].status == 400


def test_another_name_does_not_lead_here(desk):
    assert Caller(desk.url).send("/sign-in", None, Host="evil.test")[0].status == 400


def test_a_session_ends_when_nobody_uses_it_and_with_its_token(desk):
    caller, at = Caller(desk.url), desk.clock.at
    try:
        caller.sign_in(desk.token())
        assert caller.send("/account")[0].status == 200
        desk.clock.forward(seconds=IDLE.total_seconds() + 1)
        assert caller.send("/account")[0].status == 303
        caller.sign_in(desk.token(minutes=20))
        desk.clock.forward(minutes=19)
        assert caller.send("/account")[0].status == 200
        desk.clock.forward(minutes=1)
        assert caller.send("/account")[0].status == 303
    finally:
        desk.clock.at = at


def test_signing_out_ends_the_session_itself(desk, ann):
    held = ann.cookie
    assert ann.send("/sign-out", {"csrf": "other"})[0].status == 400
    assert ann.send("/sign-out", {"csrf": ann.csrf()})[0].status == 303
    ann.cookie = held
    assert ann.send("/account")[0].status == 303


@pytest.mark.parametrize("path", ["/today", "/sign-in", "/nowhere", "/static/console.css"])
def test_every_answer_forbids_scripts_frames_and_keeping(desk, ann, path):
    answer, _ = ann.send(path)
    policy = answer.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    if path != "/static/console.css":
        assert answer.getheader("Cache-Control") == "no-store"


def test_no_page_holds_a_script_or_leads_to_an_account_by_its_address(desk, ann):
    for path, _ in PAGES:
        _, text = ann.send(path)
        assert "<script" not in text
        assert not re.search(r"\son[a-z]+=", text.replace("&#34;", ""))
        assert not re.search(r'(href|src|action)="[^"]*(a0\d\d|onerror)', text)
        assert not re.search(r'href="(?!/|data:,|#)', text)


def test_a_role_that_may_not_is_told_so(desk):
    caller = Caller(desk.url)
    caller.sign_in(desk.token("MODEL_VALIDATOR"))
    answer, text = caller.send("/account", {"account": "a001", "csrf": caller.csrf()})
    assert "MODEL_VALIDATOR may not call" in text
    assert "cures without contact" not in text
    answer, text = caller.send("/evidence/archive", {"ranking": desk.ranking_id, "csrf": caller.csrf()})
    assert answer.status == 403


def test_a_hostile_id_is_a_text(desk, ann):
    answer, text = ann.send("/account", {"account": HOSTILE, "csrf": ann.csrf()})
    assert answer.status == 200
    assert "<img" not in text
    assert "\u202e" not in text
    assert "&lt;img" in text


def test_a_form_too_large_is_refused(desk, ann):
    answer, text = ann.send("/account", {"account": "a" * 2_000_000, "csrf": ann.csrf()})
    assert answer.status == 400
    assert "1,048,576 bytes" in text


def test_what_is_no_day_or_ranking_is_refused_in_words(desk, ann):
    answer, text = ann.send("/today?day=tomorrow")
    assert (answer.status, "is no day" in text) == (200, True)
    assert ann.send("/today?ranking=rk-none")[0].status in (200, 404)


def test_the_proof_is_a_file(desk, ann):
    answer, text = ann.send("/account/proof", {"account": "a001", "csrf": ann.csrf(), "ranking": desk.ranking_id})
    assert answer.status == 200
    assert "a001" not in answer.getheader("Content-Disposition")
    assert text.startswith("{")


def test_a_record_is_verified_and_made_anew(desk, ann):
    for what, words in (("verify", "It holds"), ("replay", "bit identical")):
        answer, text = ann.send("/evidence/check", {"ranking": desk.ranking_id, "what": what, "csrf": ann.csrf()})
        assert answer.status == 200
        assert words in text


def test_without_tokens_names_are_claims(tmp_path):
    with shown(tmp_path, ranked=False, tokens=False) as desk:
        caller = Caller(desk.url)
        assert caller.send("/sign-in", {"name": "ann", "role": "KING"})[0].status == 400
        assert caller.send("/sign-in", {"name": "ann", "role": "ANALYST", "zone": "Mars/Olympus"})[0].status == 400
        assert caller.send("/sign-in", {"name": "ann", "role": "ANALYST", "zone": "Asia/Tokyo"})[0].status == 303
        _, text = caller.send("/today")
        assert "ann, analyst (claimed)" in text
        assert "Times in Asia/Tokyo" in text


def test_a_server_that_does_not_answer_is_told(tmp_path):
    with shown(tmp_path, ranked=False) as desk:
        caller = Caller(desk.url)
        caller.sign_in(desk.token(minutes=60))
        desk.clock.at -= timedelta(hours=3)
        assert caller.send("/today")[0].status == 401


@pytest.mark.parametrize("at", [Listening(host="0.0.0.0"), Listening(host="::"), Listening(key="key.pem")])
def test_plain_http_does_not_leave_this_machine(at):
    with pytest.raises(CollectionsError, match=r"plain HTTP|certificate and key"):
        ConsoleServer(None, at)
