"""A small identity provider on loopback: discovery, consent without asking, codes once, PKCE, keys; it can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT = "console"


@dataclass
class IdentityProvider:
    """What a provider knows, and its lies.

    Attributes:
        url: its issuer.
        now: its clock.
        claims: laid over those of ID tokens.
        access: laid over those of access tokens.
        discovery: laid over what it says of itself.
        sign: signs an ID token in place of its own key.
        returned: laid over what it sends people back with.
        codes: codes that were given, with what was asked.
        is_away: answers nothing but refusals.
        asked: addresses that were asked, in order.
    """

    url: str
    now: object
    secret: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    key_id: str = "k1"
    claims: dict = field(default_factory=dict)
    access: dict = field(default_factory=dict)
    discovery: dict = field(default_factory=dict)
    returned: dict = field(default_factory=dict)
    sign: object = None
    codes: dict = field(default_factory=dict)
    is_away: bool = False
    asked: list = field(default_factory=list)

    def forget_lies(self):
        self.claims, self.access, self.discovery, self.returned, self.sign, self.is_away = {}, {}, {}, {}, None, False

    def rotate(self):
        """Sign with a new key from now on."""
        self.key, self.key_id = rsa.generate_private_key(65537, 2048), secrets.token_hex(4)

    def keys(self):
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": self.key_id, "alg": "RS256", "use": "sig"}]}

    def about(self):
        said = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/end",
            "code_challenge_methods_supported": ["S256"],
        }
        return {**said, **self.discovery}

    def authorize(self, asked):
        """Return where the person is sent back."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.url, **self.returned})}"

    def token(self, form, authorization):
        """Return the tokens of a code; each code and its verifier work once."""
        asked = self.codes.pop(form.get("code"), None)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"] or form["client_id"] != asked["client_id"]:
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return None
        expected = base64.b64encode(f"{CLIENT}:{quote(self.secret, safe='')}".encode()).decode()  # RFC 6749, 2.3.1
        if self.secret and authorization != f"Basic {expected}":
            return None
        moment = self.now()
        times = {"iat": int(moment.timestamp()), "exp": int((moment + timedelta(minutes=20)).timestamp())}
        access = self.signed({"iss": self.url, "aud": "collections-opt", "sub": "ann", **times, **self.access})
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "ann",
            "nonce": asked["nonce"],
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **times,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = self.sign(claims) if self.sign else self.signed(claims)
        return {"access_token": access, "id_token": signed, "token_type": "Bearer", "expires_in": 1200}

    def signed(self, claims):
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.key_id})


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        held, parts = self.server.provider, urlsplit(self.path)
        held.asked.append(parts.path)
        if held.is_away:
            self._say(503, {})
        elif parts.path == "/.well-known/openid-configuration":
            self._say(200, held.about())
        elif parts.path == "/keys":
            self._say(200, held.keys())
        elif parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", held.authorize(dict(parse_qsl(parts.query))))
            self.end_headers()
        else:
            self._say(404, {})

    def do_POST(self):
        held = self.server.provider
        held.asked.append(self.path)
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        found = held.token({name: values[0] for name, values in form.items()}, self.headers.get("Authorization", ""))
        self._say(200 if found else 400, found or {"error": "invalid_grant"})

    def _say(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@contextmanager
def providing(now, secret=""):
    """Yield a provider that answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.provider = IdentityProvider(f"http://127.0.0.1:{server.server_port}", now, secret)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
