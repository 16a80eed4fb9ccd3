"""The client's end of TLS and mTLS, and the scripts' flags for it against a server process."""

from __future__ import annotations

import shutil

import pytest

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.client.client import connect
from collections_opt.client.connection import Connection
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.server.build import ServerOptions, TlsFiles, build_server
from tests.support.scripts.processes import call, server
from tests.support.serving.certificates import make_certificates
from tests.support.serving.fake_portfolios import Portfolios
from tests.support.serving.servers import portfolio_service

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificates")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def port(pki):
    tls = TlsFiles(pki / "server.key", pki / "server.pem", pki / "ca.pem")
    built = build_server([portfolio_service(Portfolios())], ServerOptions(tls=tls))
    built.start()
    yield built.port
    built.stop(0)


def ask(connection):
    with connect(connection) as client:
        client.portfolios.GetPortfolio(pb.GetPortfolioRequest(), timeout=10)


def test_a_caller_with_a_certificate_is_let_in_and_one_without_is_not(pki, port):
    address, ca = f"localhost:{port}", pki / "ca.pem"
    ask(Connection(address, ca, pki / "client.pem", pki / "client.key"))
    for connection in (
        Connection(address, ca),
        Connection(address, ca, pki / "stranger.pem", pki / "stranger.key"),
        Connection(address, pki / "stranger.pem", pki / "client.pem", pki / "client.key"),
        Connection(address, insecure_loopback=True),
    ):
        with pytest.raises(CollectionsError) as caught:
            ask(connection)
        assert caught.value.reason is Reason.OUTCOME_UNKNOWN
        assert address in caught.value.message


def test_scripts_reach_a_server_process_by_tls_flags(pki, tmp_path):
    mutual = ("--tls-client-ca", pki / "ca.pem")
    files = map(str, ("--tls-key", pki / "server.key", "--tls-certificate", pki / "server.pem", *mutual))
    with server(tmp_path, *files) as address:
        common = ("import_portfolio.py", *address, "--tls-ca", pki / "ca.pem")
        shown = call(*common, "--tls-certificate", pki / "client.pem", "--tls-key", pki / "client.key")
        assert shown.returncode == 0, shown.stderr
        assert "4,209 accepted" in shown.stdout
        assert call(*common, "--tls-certificate", pki / "client.pem").returncode == 2
