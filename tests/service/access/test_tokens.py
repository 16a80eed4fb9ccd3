"""Tokens: what holds, and every way in which one does not."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from collections_opt.core.actors import Actor, ActorRole
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.service.access.tokens import MAX_LIFETIME, TokenChecker, issue, issuer_keys, new_key
from collections_opt.wire.callers.published_keys import PublishedKeys
from tests.support.serving.tokens import keys_given

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
PEM, PUBLIC = new_key("k1")
CLAIMS = {"sub": "ann", "role": "ANALYST", "iss": "desk", "aud": "collections-opt"}
CLAIMS |= {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 900}


def checker(public=PUBLIC, moment=NOW, issuer="desk", audience="collections-opt"):
    return TokenChecker(keys_given(public, lambda: moment), issuer, audience, lambda: moment)


def issued(role=ActorRole.ANALYST, lifetime=timedelta(minutes=15), pem=PEM, key_id="k1", name="ann"):
    return issue(pem, name, role, NOW, lifetime, "desk", "collections-opt", key_id)


def signed(without=(), key_id="k1", **changes):
    claims = {key: value for key, value in (CLAIMS | changes).items() if key not in without}
    return jwt.encode(claims, load_pem_private_key(PEM, None), algorithm="EdDSA", headers={"kid": key_id} if key_id else None)


def refused(token, **how):
    with pytest.raises(CollectionsError) as caught:
        checker(**how).actor(token)
    assert caught.value.reason is Reason.UNAUTHENTICATED
    assert caught.value.violations[0].field == "authorization"
    return str(caught.value)


@pytest.mark.parametrize("role", list(ActorRole))
def test_a_token_speaks_for_its_person_in_its_role(role):
    assert checker().actor(issued(role)) == Actor("ann", role.value, "", "desk")


def test_without_a_key_id_the_only_key_is_meant():
    assert checker().actor(signed(key_id=None)).name == "ann"


@pytest.mark.parametrize(
    ("seconds", "holds"), [(-31, False), (-29, True), (0, True), (900, True), (929, True), (931, False), (10_000_000, False)]
)
def test_it_holds_in_its_time_and_no_longer(seconds, holds):
    moment = NOW + timedelta(seconds=seconds)
    if holds:
        assert checker(moment=moment).actor(issued()).name == "ann"
    else:
        assert "time" in refused(issued(), moment=moment)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        signed(aud="another"),
        signed(iss="another"),
        signed(role="BOSS"),
        signed(role=""),
        signed(sub=""),
        signed(sub="a\nb"),
        signed(sub="a" * 129),
        signed(exp=CLAIMS["iat"] + int(MAX_LIFETIME.total_seconds()) + 1),
        signed(exp=CLAIMS["iat"] + 0.5),
        signed(exp=True),
        signed(nbf=CLAIMS["iat"] + 600),
        signed(key_id="k2"),
        *(signed(without=(name,)) for name in CLAIMS),
    ],
)
def test_anything_else_is_refused(token):
    refused(token)


def test_every_altered_character_of_a_token_is_noticed():
    token = issued()
    decoded = [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]
    for place, letter in enumerate(token):
        altered = token[:place] + ("B" if letter == "A" else "A") + token[place + 1 :]
        if [base64.urlsafe_b64decode(part + "==") for part in altered.split(".")] != decoded:  # a last letter has spare bits
            refused(altered)


def test_other_keys_and_no_signature_are_refused():
    other_pem, other_public = new_key("k1")
    refused(issued(pem=other_pem))
    refused(issued(), public=other_public)
    refused(jwt.encode(CLAIMS, None, algorithm="none", headers={"kid": "k1"}))
    shared = json.loads(PUBLIC)["keys"][0]["x"]  # the public key taken for a shared secret
    refused(jwt.encode(CLAIMS, shared.encode(), algorithm="HS256", headers={"kid": "k1"}))


def test_keys_of_another_kind_work_and_secrets_are_refused(tmp_path):
    key = rsa.generate_private_key(65_537, 2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "r1", "alg": "RS256"}
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [public, *json.loads(PUBLIC)["keys"]]}))
    both = TokenChecker(issuer_keys(str(path), lambda: NOW), "desk", "collections-opt", lambda: NOW)
    assert both.actor(jwt.encode(CLAIMS, key, algorithm="RS256", headers={"kid": "r1"})).name == "ann"
    assert both.actor(issued()).name == "ann"
    private = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": "r1"}
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "s1", "alg": "HS256"}
    for text in (json.dumps({"keys": [private]}), json.dumps({"keys": [secret]}), '{"keys": []}', "[]", "not json", "{}"):
        path.write_text(text)
        with pytest.raises(CollectionsError) as caught:
            issuer_keys(str(path), lambda: NOW)
        assert caught.value.violations[0].field == "token_keys"


@pytest.mark.parametrize(
    ("field", "how"),
    [
        ("lifetime", {"lifetime": MAX_LIFETIME + timedelta(seconds=1)}),
        ("lifetime", {"lifetime": timedelta(0)}),
        ("name", {"name": ""}),
        ("name", {"name": "a\n"}),
        ("key", {"pem": b"no key"}),
    ],
)
def test_what_cannot_be_issued_is_refused_at_its_field(field, how):
    with pytest.raises(CollectionsError) as caught:
        issued(**how)
    assert (caught.value.reason, caught.value.violations[0].field) == (Reason.INVALID_ARGUMENT, field)


class Published:
    """What an issuer publishes, by id, and how often it was asked; away it answers nothing."""

    def __init__(self, *key_ids):
        self.key_ids, self.asked, self.is_away, self.moment = key_ids, 0, False, NOW
        self.keys = PublishedKeys(self.read, lambda: self.moment)

    def read(self):
        self.asked += 1
        if self.is_away:
            raise refuse(Reason.UNAUTHENTICATED, "token_keys", "is away.")
        return [(key_id, f"key {key_id}") for key_id in self.key_ids]

    def holds(self, key_id, **later):
        self.moment += timedelta(**later)
        try:
            return self.keys.current(key_id) == f"key {key_id}"
        except CollectionsError as error:
            return {Reason.UNAUTHENTICATED: False}[error.reason]


def test_keys_are_followed_as_they_change_and_asked_for_no_oftener_than_that():
    issuer = Published("old")
    assert issuer.holds("old")
    issuer.key_ids = ("old", "new")
    assert not issuer.holds("new", seconds=29)
    assert (issuer.holds("new", seconds=1), issuer.holds("old"), issuer.asked) == (True, True, 2)
    assert not any(issuer.holds("made up", seconds=1) for _ in range(29))
    assert issuer.asked == 2
    issuer.key_ids = ("new",)
    assert issuer.holds("old", minutes=4)
    assert (issuer.holds("old", minutes=1), issuer.holds("new"), issuer.asked) == (False, True, 3)


def test_keys_of_an_issuer_that_is_away_hold_for_a_day_and_no_new_one_does():
    issuer = Published("old")
    issuer.is_away = True
    assert not issuer.holds("old")  # never read: nothing holds
    issuer.is_away = False
    assert issuer.holds("old", seconds=30)
    issuer.is_away, issuer.key_ids = True, ("old", "new")
    for later in ({"minutes": 5}, {"hours": 12}, {"hours": 11, "minutes": 54, "seconds": 59}):
        assert issuer.holds("old", **later)
        assert not issuer.holds("new")
    assert not issuer.holds("old", seconds=1)
    issuer.is_away = False
    assert issuer.holds("old", seconds=30)
    assert issuer.holds("new")


def test_keys_of_a_file_follow_the_file_and_outlive_what_is_no_key(tmp_path):
    path, moment = tmp_path / "keys.json", [NOW]
    path.write_text(PUBLIC)
    keys = issuer_keys(str(path), lambda: moment[0])
    path.write_text("half a fi")
    moment[0] += timedelta(minutes=6)
    assert keys.current("k1").key_id == "k1"
    path.write_text(new_key("k2")[1])
    moment[0] += timedelta(seconds=30)
    assert keys.current("k2").key_id == "k2"
    assert not keys.holds("k1")
