"""Tokens as people use them: make a key, serve with it, issue a token, be let in and be refused."""

import stat

from tests.support.scripts.processes import call, server


def test_a_person_with_a_token_is_let_in_and_nobody_else(tmp_path):
    key, public, token = tmp_path / "issuer.pem", tmp_path / "issuer.json", tmp_path / "ann.token"
    made = call("issue_token.py", "new-key", "--key", key, "--public", public)
    assert made.returncode == 0, made.stderr
    assert f"--token-keys {public}" in made.stdout
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    flags = ("--insecure-loopback", "--token-keys", public, "--token-issuer", "collections-opt")
    with server(tmp_path / "data", *map(str, flags)) as address:
        reach = (*address, "--insecure-loopback")
        nobody = call("overview.py", *reach)
        assert nobody.returncode == 2
        assert "UNAUTHENTICATED" in nobody.stderr
        for _ in range(2):  # renewed in place
            issued = call("issue_token.py", "issue", "--key", key, "--name", "ann", "--role", "AUDITOR", "--out", token)
            assert issued.returncode == 0, issued.stderr
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        seen = call("overview.py", *reach, "--token", token)
        assert seen.returncode == 0, seen.stderr
        denied = call("save_plan.py", *reach, "--token", token, "--file", "examples/plan.toml")
        assert denied.returncode == 2
        assert "PERMISSION_DENIED" in denied.stderr
        assert "OPERATIONS_MANAGER" in denied.stderr


def test_a_key_is_never_written_over_and_keys_need_an_issuer(tmp_path):
    key, public = tmp_path / "issuer.pem", tmp_path / "issuer.json"
    key.write_text("precious")
    refused = call("issue_token.py", "new-key", "--key", key, "--public", public)
    assert refused.returncode == 2
    assert "exists" in refused.stderr
    assert key.read_text() == "precious"
    assert not public.exists()
    (tmp_path / "data").mkdir()
    no_issuer = call("serve.py", "--data", tmp_path / "data", "--insecure-loopback", "--token-keys", public)
    assert no_issuer.returncode == 2
    assert "token_issuer" in no_issuer.stderr
