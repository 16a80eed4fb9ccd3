"""Certificates for a test, made by the openssl command."""

from __future__ import annotations

import subprocess


def make_certificates(folder):
    """Return the folder with ca.pem and, signed by it, server.pem and client.pem; stranger.pem signs itself."""

    def run(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    def self_signed(name):
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")
        run("req", "-x509", *key, "-subj", f"/CN={name}", "-days", "2", "-out", f"{name}.pem")

    self_signed("ca")
    self_signed("stranger")
    (folder / "san.txt").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")
        run("req", "-new", *key, "-subj", f"/CN={name}", "-out", f"{name}.csr")
        signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san.txt")
        run("x509", "-req", "-in", f"{name}.csr", *signer, "-out", f"{name}.pem")
    return folder
