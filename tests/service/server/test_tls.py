"""TLS and mTLS with certificates made for the test by the openssl command."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.access.roles import Access
from collections_opt.service.server.build import ServerOptions, TlsFiles, build_server
from tests.support.serving.certificates import make_certificates
from tests.support.serving.edge import WAIT, places

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificates")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("pki"))


def check(pki, port, client=None):
    """Return the health seen by a caller who trusts the CA and shows a client certificate, if any."""
    ca = (pki / "ca.pem").read_bytes()
    pair = ((pki / f"{client}.key").read_bytes(), (pki / f"{client}.pem").read_bytes()) if client else (None, None)
    with grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(ca, *pair)) as channel:
        return health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=WAIT).status


def serve(pki, client_ca):
    tls = TlsFiles(pki / "server.key", pki / "server.pem", pki / "ca.pem" if client_ca else None)
    built = build_server([], ServerOptions(tls=tls, places=places()))
    built.start()
    return built


def test_tls_serves_callers_who_trust_the_certificate_and_no_plaintext(pki):
    built = serve(pki, client_ca=False)
    assert check(pki, built.port) == health_pb2.HealthCheckResponse.SERVING
    with grpc.insecure_channel(f"127.0.0.1:{built.port}") as channel, pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=WAIT)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    built.stop(0)


def test_mtls_lets_in_only_callers_with_a_certificate_of_the_ca(pki):
    built = serve(pki, client_ca=True)
    assert check(pki, built.port, "client") == health_pb2.HealthCheckResponse.SERVING
    for client in (None, "stranger"):
        with pytest.raises(grpc.RpcError) as caught:
            check(pki, built.port, client)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    built.stop(0)


@pytest.mark.parametrize(
    ("allowed", "let_in"),
    [(("client",), True), (("cli*",), True), (("nightly", "platform"), False), (("Client",), False), ((), True)],
)
def test_certificates_are_let_in_by_name(allowed, let_in):
    """Any certificate of the authority got in, whoever it was made for."""
    access = Access(systems=allowed)
    facts = Facts({"x509_common_name": [b"client"], "x509_subject_alternative_name": [b"client.example"]})
    if let_in:
        assert access.admit("collections_opt.api.v1.ModelService.ListModels", facts) is None
    else:
        with pytest.raises(CollectionsError, match="'client' is not among") as caught:
            access.admit("collections_opt.api.v1.ModelService.ListModels", facts)
        assert caught.value.reason is Reason.UNAUTHENTICATED


@dataclass(frozen=True)
class Facts:
    """What grpc tells of a connection."""

    names: dict

    def invocation_metadata(self):
        return ()

    def auth_context(self):
        return self.names
