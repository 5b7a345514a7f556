"""`make run` as a program: it serves, writes its samples for the owner alone, and they work."""

import asyncio
import hashlib
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import pytest

from corpid.relying_party import RelyingParty
from keys import base64url, jws
from keys.signer import LocalSigner
from tests.support.fapi_client import ASSERTION_TYPE, b64, new_verifier, unique
from tests.support.live_cast import Human
from tests.support.live_visitor import Visitor
from tests.support.service_process import ROOT, free_port

_STRONGER: Final = "ECDHE-ECDSA-AES256-GCM-SHA384"


@contextmanager
def _running(build: Path, *more: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The program in the background; what its samples say, and what it printed until it served."""
    port = free_port()
    options = ("--port", str(port), "--build", str(build / "build"))
    program = subprocess.Popen(
        [sys.executable, "-u", "-m", "examples.run", *options, *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    printed = ""
    try:
        for line in program.stdout:
            printed += line
            if f"port {port}" in line:
                break
        assert f"port {port}" in printed, printed
        yield json.loads((build / "build" / "sample.json").read_text()), printed
    finally:
        os.killpg(program.pid, signal.SIGTERM)
        rest, _ = program.communicate(timeout=30)
    assert program.returncode == 0, printed + rest


def _human(known: dict[str, Any], username: str) -> Human:
    (person,) = [one for one in known["people"] if one["username"] == username]
    return Human("", username, person["password"], person["totp_secret"] or "")


def _client(known: dict[str, Any], client_id: str) -> dict[str, Any]:
    (client,) = [one for one in known["clients"] if one["client_id"] == client_id]
    assert isinstance(client, dict)
    return client


def _request(client: dict[str, Any], verifier: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": client["redirect_uris"][0],
        "scope": "openid entity.identity mandate",
        "state": unique(),
        "nonce": unique(),
        "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }


def _sign_in(http: httpx2.Client, visitor: Visitor, known: dict[str, Any]) -> dict[str, Any]:
    """A sample person signs in at the sample shop through the pages; the verified ID token."""
    issuer, shop = known["issuer"], _client(known, "sample-shop")
    verifier = new_verifier()
    asked = _request(shop, verifier)
    visitor.authorize(**asked)
    answer = visitor.through(_human(known, "sample.director"))
    assert answer["iss"] == issuer
    tokens = http.post(
        f"{issuer}/token",
        data={
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": asked["redirect_uri"],
            "code_verifier": verifier,
        },
        auth=(shop["client_id"], shop["client_secret"]),
    ).json()
    assert tokens.keys() >= {"access_token", "id_token"}, tokens
    return {**tokens, "nonce": asked["nonce"]}


@pytest.mark.timeout(120)
def test_run_serves_and_its_samples_work(tmp_path: Path) -> None:
    with _running(tmp_path) as (known, printed):
        issuer = known["issuer"]
        assert issuer in printed
        samples = tmp_path / "build" / "sample.json"
        assert stat.S_IMODE(samples.stat().st_mode) == 0o600
        assert str(samples) in printed
        assert {"issuer", "people", "clients", "admin"} <= known.keys()
        assert known["admin"]["commands"]
        levels = {person["assurance"] for person in known["people"]}
        assert levels == {"loa1", "loa2"}
        with httpx2.Client() as http, Visitor(issuer) as visitor:
            tokens = _sign_in(http, visitor, known)
            party = RelyingParty(issuer, client_id="sample-shop")
            verified = asyncio.run(
                party.verify_id_token(tokens["id_token"], nonce=tokens["nonce"], min_acr="loa1")
            )
            assert verified.organisation is not None
            bank = _client(known, "sample-bank")
            pushed = http.post(f"{issuer}/par", data=_pushed(bank, issuer))
            assert pushed.status_code == 201, pushed.text
        listed = _admin(known, "client", "list")
        assert {one["client_id"] for one in listed} == {c["client_id"] for c in known["clients"]}


def _pushed(client: dict[str, Any], issuer: str) -> dict[str, str]:
    """A pushed request that is authenticated with the sample client's private key."""
    now = int(time.time())
    claims = {"iss": client["client_id"], "sub": client["client_id"], "aud": issuer}
    claims |= {"jti": unique(), "iat": now, "exp": now + 60}
    signer = LocalSigner.from_jwk(client["jwk"])
    assertion = asyncio.run(jws.sign(signer, claims, typ="client-authentication+jwt"))
    fields = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return {**_request(client, new_verifier()), **fields}


def _admin(known: dict[str, Any], *words: str) -> Any:
    """An admin command in the environment that the samples name."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CORPID_")}
    done = subprocess.run(
        [sys.executable, "-m", "corpid.cli.main", *words, "--json"],
        env={**own, **known["admin"]["environment"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


def _accepted_over_tls_1_2(known: dict[str, Any]) -> set[str]:
    """The cipher suites for the sample's (ECDSA) certificate that a handshake succeeds with."""
    accepted = set()
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in [one["name"] for one in offered.get_ciphers()]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if name.startswith("TLS_"):  # of TLS 1.3
            continue
        context.set_ciphers(name)
        port = urlsplit(known["issuer"]).port
        with socket.create_connection(("127.0.0.1", port or 443)) as plain:
            try:
                with context.wrap_socket(plain):
                    accepted.add(name)
            except ssl.SSLError:
                continue
    return accepted


@pytest.mark.timeout(120)
def test_run_https_under_a_development_authority(tmp_path: Path) -> None:
    with _running(tmp_path, "--https") as (known, printed):
        issuer = known["issuer"]
        assert issuer.startswith("https://localhost:")
        line = next(line for line in printed.splitlines() if "Development CA" in line)
        authority = Path(line.rpartition(": ")[2])
        assert authority.read_text().startswith("-----BEGIN CERTIFICATE-----")
        trusted = ssl.create_default_context(cafile=authority)
        with httpx2.Client(verify=trusted) as http, Visitor(issuer, authority) as visitor:
            tokens = _sign_in(http, visitor, known)
            assert {name.split("-corpid-")[0] for name in visitor.cookies} == {"__Host"}
            keys = {key["kid"] for key in http.get(f"{issuer}/jwks").json()["keys"]}
        header = json.loads(base64url.decode(tokens["id_token"].split(".")[0]))
        assert header["kid"] in keys
        with httpx2.Client() as stranger, pytest.raises(httpx2.ConnectError):
            stranger.get(f"{issuer}/healthz")
        assert _accepted_over_tls_1_2(known) == {"ECDHE-ECDSA-AES128-GCM-SHA256", _STRONGER}
