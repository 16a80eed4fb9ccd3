"""Sign-in at an identity provider: who comes back as they must is let in, and nobody whose answer is off by anything."""

from __future__ import annotations

import base64
import inspect
import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.error import HTTPError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import grpc
import jwt
import pytest

from collections_opt.api.v1.ranking_service_pb2 import ListRankingsRequest
from collections_opt.api.v1.ranking_service_pb2_grpc import RankingServiceStub
from collections_opt.cli.common.console_options import ConsolePages, OpenIdSignIn
from collections_opt.cli.common.running import with_groups
from collections_opt.cli.running import console, serve
from collections_opt.client.connection import Connection
from collections_opt.console.openid import OpenId, Provider, challenge
from collections_opt.core.actors import ActorRole
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.access.roles import Access
from collections_opt.service.access.tokens import TokenChecker, issuer_keys
from tests.support.console.browser import Looker, driven, why_not
from tests.support.console.callers import Caller
from tests.support.console.desk import shown
from tests.support.console.identity_provider import CLIENT, providing
from tests.support.day.day_worlds import Clock

ROLES = {"collections-managers": ActorRole.OPERATIONS_MANAGER}


def checker(provider, clock):
    """Return how the server checks the provider's access tokens."""
    return TokenChecker(issuer_keys(f"{provider.url}/keys", clock), provider.url, "collections-opt", clock, "realm.roles", ROLES)


@pytest.fixture(scope="module")
def provider():
    with providing(Clock(), "s3cret/+") as made:
        made.access = {"realm": {"roles": ["offline_access", "collections-managers"]}}
        yield made


@pytest.fixture(scope="module")
def desk(tmp_path_factory, provider):
    openid = OpenId(Provider(provider.url, CLIENT, "s3cret/+", role_claim="realm"), provider.now)
    access = Access(checker(provider, provider.now))
    with shown(tmp_path_factory.mktemp("desk"), ranked=False, access=access, openid=openid) as made:
        yield made


@pytest.fixture
def lying(provider):
    """Let the provider lie until the test ends."""
    kept = provider.access
    yield provider
    provider.forget_lies()
    provider.access = kept


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


def left(caller):
    """Return the provider's address that a browser is led to."""
    answer, text = caller.send("/sign-in/openid?zone=Asia/Tokyo")
    assert answer.status == 200
    assert caller.cookie.startswith("collections-opt-signing-in=")
    return unescape(re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', text)[1])


def consented(address):
    """Return the path and query with which the provider sends a person back."""
    with pytest.raises(HTTPError) as caught:
        build_opener(_Stay()).open(address)
    back = urlsplit(caught.value.headers["Location"])
    return f"{back.path}?{back.query}"


def came_back(caller):
    return caller.send(consented(left(caller)))


def test_a_console_beside_a_server_takes_what_one_alone_takes(desk, provider, tmp_path):
    """The same options by the same names, but for the word before those that a server has itself; one leads to the provider."""
    alone, beside = (set(inspect.signature(with_groups(command.main)).parameters) for command in (console, serve))
    mine = {"host", "certificate", "key", "behind_proxy", "name", "time_zone", "port"}
    signing = {name for name in alone if name.startswith("openid_")}
    assert len(signing) == 7
    assert signing | {f"console_{name}" for name in mine} <= beside
    (tmp_path / "secret").write_text("s3cret/+\n")
    sign_in = OpenIdSignIn(provider.url, CLIENT, tmp_path / "secret")
    shown_by = serve.console_beside(0, Connection(desk.address, insecure_loopback=True), ConsolePages(), sign_in)
    assert left(Caller(shown_by.url)).startswith(provider.url)
    shown_by.stop(5)
    with pytest.raises(CollectionsError) as caught:
        serve.console_beside(None, Connection(desk.address, insecure_loopback=True), ConsolePages(), sign_in)
    assert caught.value.violations[0].field == "openid_issuer"


def test_a_person_is_signed_in_and_may_do_what_the_server_lets_their_role(desk):
    ann = Caller(desk.url)
    answer, text = came_back(ann)
    assert answer.status == 200
    assert 'content="0;url=/today"' in text
    told = answer.getheader("Set-Cookie").lower()
    assert "httponly" in told
    assert "samesite=strict" in told
    _, text = ann.send("/data")
    assert "ann" in text
    assert "(claimed)" not in text
    answer, text = ann.send("/sign-out", {"csrf": ann.csrf()})
    assert "End your session at" in text
    assert ann.send("/data")[0].status == 303


def test_what_leaves_the_console_tells_no_secret(desk, provider):
    asked = dict(parse_qsl(urlsplit(left(Caller(desk.url))).query))
    assert asked["redirect_uri"] == f"{desk.url}signed-in"
    assert asked["code_challenge_method"] == "S256"
    assert "s3cret" not in urlencode(asked)
    assert len(asked["state"]) >= 43
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


def test_a_challenge_is_that_of_the_standard():
    assert (
        challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )  # RFC 7636, B


def unsigned(claims):
    head, body = ({"alg": "none"}, claims)
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, body)]
    return ".".join([*parts, ""])


def by_secret(claims):
    return jwt.encode(claims, "s3cret/+" * 5, algorithm="HS256", headers={"kid": "k1"})


LIES = {
    "another issuer": {"claims": {"iss": "https://evil.test"}},
    "another audience": {"claims": {"aud": "another-client"}},
    "several audiences, of which another is meant": {"claims": {"aud": [CLIENT, "other"], "azp": "other"}},
    "several audiences, and none is meant": {"claims": {"aud": [CLIENT, "other"]}},
    "no signature": {"sign": unsigned},
    "a signature by a shared secret": {"sign": by_secret},
    "no token": {"sign": lambda _claims: "a.b.c"},
    "no nonce": {"claims": {"nonce": None}},
    "another nonce": {"claims": {"nonce": "replayed"}},
    "a time that is over": {"claims": {"exp": 1_700_000_000}},
    "no end": {"claims": {"exp": None}},
    "a time that has not come": {"claims": {"iat": 4_000_000_000}},
    "nobody": {"claims": {"sub": None}},
    "another access token": {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "another provider that answers": {"returned": {"iss": "https://evil.test"}},
    "a refusal": {"returned": {"error": "access_denied", "code": ""}},
    "a code that was never given": {"returned": {"code": "guessed"}},
    "another state": {"returned": {"state": "guessed"}},
    "a role that the server does not know": {"access": {"realm": {"roles": ["cleaners"]}}},
    "an access token for somebody else": {"access": {"aud": "payroll"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_whose_answer_is_off_by_anything_stays_out(desk, lying, lie):
    caller = Caller(desk.url)
    address = left(caller)
    for name, value in LIES[lie].items():
        setattr(lying, name, value)
    answer, text = caller.send(consented(address))
    assert answer.status == 401, text
    assert "collections-opt-session" not in (answer.getheader("Set-Cookie") or "")
    assert caller.send("/data")[0].status == 303


def test_a_sign_in_ends_once_and_in_the_browser_that_began_it(desk):
    ann, eve = Caller(desk.url), Caller(desk.url)
    back = consented(left(ann))
    left(eve)
    assert eve.send(back)[0].status == 401  # whoever is sent here with another's code is not signed in as them
    mine = Caller(desk.url)
    back = consented(left(mine))
    cookie = mine.cookie
    assert mine.send(back)[0].status == 200
    mine.cookie = cookie
    assert mine.send(back)[0].status == 401


def test_a_sign_in_that_took_too_long_is_begun_again(provider):
    clock = Clock()
    openid = OpenId(Provider(provider.url, CLIENT, "s3cret/+"), clock)
    begun = openid.begin("http://127.0.0.1/signed-in", "UTC")
    answer = dict(parse_qsl(consented(begun.url).partition("?")[2]))
    clock.forward(minutes=11)
    refused(openid, answer, begun.browser)


def refused(openid, answer, browser):
    with pytest.raises(CollectionsError) as caught:
        openid.finish(answer, browser)
    assert caught.value.reason is Reason.UNAUTHENTICATED


def signed_in(openid):
    begun = openid.begin("http://127.0.0.1/signed-in", "UTC")
    return openid.finish(dict(parse_qsl(consented(begun.url).partition("?")[2])), begun.browser)


def test_a_provider_that_changes_its_key_is_asked_again():
    with providing(Clock()) as provider:
        openid = OpenId(Provider(provider.url, CLIENT, sends_id_token=True), provider.now)
        assert signed_in(openid).name == "ann"
        provider.rotate()
        provider.now.forward(minutes=2)
        assert signed_in(openid).name == "ann"
        assert provider.asked.count("/keys") == 2
        for lie in ({"claims": {"nonce": "x"}}, {"key_id": "made-up"}):
            provider.now.forward(seconds=1)
            for name, value in lie.items():
                setattr(provider, name, value)
            for _ in range(3):
                with pytest.raises(CollectionsError):
                    signed_in(openid)
        assert provider.asked.count("/keys") == 2  # a token that nobody signed asks for the keys no sooner


def called(provider, address):
    """Call the server with an access token that the provider signs now; return how the call ended."""
    moment = provider.now()
    times = {"iat": int(moment.timestamp()), "exp": int((moment + timedelta(minutes=5)).timestamp())}
    token = provider.signed({"iss": provider.url, "aud": "collections-opt", "sub": "ann", **times, **provider.access})
    with grpc.insecure_channel(address) as channel:
        listed = RankingServiceStub(channel).ListRankings
        try:
            listed(ListRankingsRequest(), timeout=60, metadata=(("authorization", f"Bearer {token}"),))
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def test_a_server_follows_the_provider_s_keys_without_a_restart(desk, lying):
    """A new key is asked for and holds at once; one that is gone holds no longer; while the provider is away no other does."""
    ok, refused = grpc.StatusCode.OK, grpc.StatusCode.UNAUTHENTICATED
    clock, old = lying.now, (lying.key, lying.key_id)
    assert called(lying, desk.address) == ok
    clock.forward(minutes=1)
    lying.rotate()
    new = (lying.key, lying.key_id)
    assert called(lying, desk.address) == ok
    asked = lying.asked.count("/keys")
    lying.key, lying.key_id = old
    assert called(lying, desk.address) == refused
    assert lying.asked.count("/keys") == asked  # whoever made a key up has the provider asked no sooner
    lying.key, lying.key_id = new
    lying.is_away = True
    clock.forward(minutes=6)
    assert called(lying, desk.address) == ok
    lying.rotate()
    clock.forward(minutes=6)
    assert called(lying, desk.address) == refused
    lying.is_away = False
    clock.forward(minutes=6)
    assert called(lying, desk.address) == ok


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.test"},
        {"token_endpoint": "http://evil.test/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_provider_that_says_of_itself_what_cannot_be_is_refused(lying, said):
    lying.discovery = said
    openid = OpenId(Provider(lying.url, CLIENT), lying.now)
    with pytest.raises(CollectionsError):
        openid.begin("http://127.0.0.1/signed-in", "UTC")


@pytest.mark.parametrize("issuer", ["http://idp.example", "ftp://x", "", "https://", "https://idp.example/#x"])
def test_an_issuer_beyond_this_machine_is_reached_over_tls(issuer):
    with pytest.raises(CollectionsError):
        OpenId(Provider(issuer, CLIENT), Clock())


def test_a_provider_that_is_away_is_said_to_be(desk, tmp_path):
    with shown(tmp_path, ranked=False, openid=OpenId(Provider("http://127.0.0.1:9", CLIENT), Clock())) as away:
        answer, text = Caller(away.url).send("/sign-in/openid")
        assert answer.status == 401
        assert "does not answer" in text


def test_a_token_names_one_role_in_the_claim_declared(provider):
    tokens = checker(provider, provider.now)
    moment = provider.now()
    times = {"iat": int(moment.timestamp()), "exp": int((moment + timedelta(minutes=5)).timestamp())}

    def actor(**claims):
        return tokens.actor(provider.signed({"iss": provider.url, "aud": "collections-opt", "sub": "ann", **times, **claims}))

    assert actor(realm={"roles": ["collections-managers", "x"]}).role == "OPERATIONS_MANAGER"
    for claims in (
        {},
        {"realm": {"roles": []}},
        {"realm": "collections-managers"},
        {"role": "ADMIN"},
        {"realm": {"roles": ["ADMIN"]}},
    ):
        with pytest.raises(CollectionsError):
            actor(**claims)
    two = replace(tokens, roles={"a": ActorRole.ANALYST, "b": ActorRole.ADMIN}, role_claim="groups")
    with pytest.raises(CollectionsError):
        two.actor(provider.signed({"iss": provider.url, "aud": "collections-opt", "sub": "a", "groups": ["a", "b"], **times}))


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "runs")
def test_a_browser_goes_to_the_provider_and_comes_back_signed_in(desk):
    """The cookie that goes to no other site is shown all the same: a page of the console's own leads on."""
    with driven() as browser:
        looker = Looker(browser, desk.url, 390)
        looker.go("sign-in")
        assert looker.barriers() == []
        looker.page.fill("[name=zone] >> nth=0", "Asia/Tokyo")
        looker.page.click("text=Sign in at")
        looker.page.wait_for_url("**/today")
        assert looker.page.locator("text=Sign out").count() == 1
        assert quote("ann") in looker.page.inner_text("header")
        assert [told for told in looker.complaints if "404" not in told] == []
        looker.context.close()
