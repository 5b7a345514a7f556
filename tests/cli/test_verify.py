"""`corpid verify`: three outcomes, three exit codes."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from corpid.relying_party import openid4vp_transcript
from keys import base64url
from keys.jwe import encrypt
from keys.jwk import parse_public
from keys.signer import generate
from oidc.formats import vc_jwt
from oidc.formats.status_list import Status
from oidc.formats.status_reference import StatusReference
from tests.support.cli import Cli
from tests.support.mdoc_world import DOC_TYPE, Iaca, der, device, issued, shown
from tests.support.relying_world import (
    CLIENT,
    ISSUER,
    JWKS,
    NOW,
    RESOURCE,
    STATE,
    STATUS_URI,
    World,
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()
    monkeypatch.setattr("corpid.relying_party.parts.StandardFetch", lambda: made.fetch)
    with time_machine.travel(NOW, tick=False):
        yield made


def _verify(cli: Cli, token: str, *words: str, expect: int | None = 0) -> Any:
    (cli.folder / "token").write_text(token + "\n")
    outcome = cli.run("verify", str(cli.folder / "token"), "--issuer", ISSUER, *words, "--json")
    assert expect is None or outcome.exit_code == expect, outcome
    return outcome.document


@pytest.fixture
def tokens(world: World) -> dict[str, str]:
    async def make() -> dict[str, str]:
        return {
            "id_token": await world.id_token(),
            "access_token": await world.access_token(),
            "logout_token": await world.logout_token(),
            "credential": await world.issued(),
            "status_list": await world.status_token(),
            "authorization_response": await world.authorization_response(),
            "userinfo": await world.userinfo(),
            "introspection": await world.introspection(),
        }

    return asyncio.run(make())


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("id_token", ("--client-id", CLIENT)),
        ("access_token", ("--audience", RESOURCE)),
        ("logout_token", ("--client-id", CLIENT)),
        ("credential", ()),
        ("status_list", ()),
        ("authorization_response", ("--client-id", CLIENT, "--state", STATE)),
        ("userinfo", ("--client-id", CLIENT)),
        ("introspection", ("--client-id", CLIENT, "--audience", RESOURCE)),
    ],
)
def test_each_kind_is_recognised_and_valid(
    empty: Cli, tokens: dict[str, str], kind: str, words: tuple[str, ...]
) -> None:
    document = _verify(empty, tokens[kind], *words)
    assert (document["outcome"], document["kind"]) == ("valid", kind)
    assert document["issuer"] == ISSUER


def test_what_is_encrypted_is_opened_with_the_keys_of_a_file(
    empty: Cli, tokens: dict[str, str]
) -> None:
    key = generate("ES256")
    private = {**key.private_jwk(), "use": "enc", "alg": "ECDH-ES"}
    (empty.folder / "keys.json").write_text(json.dumps(private))
    words = ("--client-id", CLIENT, "--decryption-keys", str(empty.folder / "keys.json"))
    public = parse_public({**key.public_jwk, "use": "enc", "alg": "ECDH-ES"})
    compact = encrypt(tokens["id_token"], public, alg="ECDH-ES", enc="A128GCM")
    assert _verify(empty, compact, *words)["kind"] == "id_token"
    assert _verify(empty, compact, *words[:2], expect=1)["code"] == "decryption_failed"
    for text in ("[]", "{}", json.dumps(dict(key.public_jwk))):
        (empty.folder / "keys.json").write_text(text)
        document = _verify(empty, compact, *words, expect=None)
        assert document["error"] in ("usage", "unreadable_file")
        assert private["d"] not in str(document)


def test_a_token_that_is_not_active_and_another_state_are_not_valid(
    empty: Cli, world: World, tokens: dict[str, str]
) -> None:
    inactive = asyncio.run(world.introspection(token_introspection={"active": False}))
    words = ("--client-id", CLIENT, "--audience", RESOURCE)
    assert _verify(empty, inactive, *words, expect=1)["code"] == "token_inactive"
    words = ("--client-id", CLIENT, "--state", "another")
    answer = _verify(empty, tokens["authorization_response"], *words, expect=1)
    assert answer["code"] == "state_mismatch"


def test_it_reads_standard_input(empty: Cli, tokens: dict[str, str]) -> None:
    outcome = empty.run("verify", "--issuer", ISSUER, stdin=tokens["credential"])
    assert outcome.exit_code == 0
    assert "valid" in outcome.stdout


def test_what_is_not_valid_is_exit_code_1_with_its_code(
    empty: Cli, world: World, tokens: dict[str, str]
) -> None:
    wrong = _verify(empty, tokens["access_token"], "--audience", "https://other", expect=1)
    assert (wrong["outcome"], wrong["code"]) == ("invalid", "audience_unexpected")
    assert _verify(empty, "no token at all", expect=1)["code"] == "not_recognised"


def test_a_status_that_cannot_be_had_is_exit_code_3(
    empty: Cli, world: World, tokens: dict[str, str]
) -> None:
    world.failing.add(STATUS_URI)
    document = _verify(empty, tokens["credential"], expect=3)
    assert (document["outcome"], document["code"]) == ("undetermined", "status_unavailable")


def test_keys_that_cannot_be_had_are_exit_code_3(
    empty: Cli, world: World, tokens: dict[str, str]
) -> None:
    world.failing.add(JWKS)
    words = ("--audience", RESOURCE)
    assert _verify(empty, tokens["access_token"], *words, expect=3)["outcome"] == "undetermined"


def test_whom_a_token_is_for_must_be_said(empty: Cli, tokens: dict[str, str]) -> None:
    document = _verify(empty, tokens["id_token"], expect=2)
    assert document["error"] == "usage"
    assert "--client-id" in document["message"]
    assert "--audience" in _verify(empty, tokens["access_token"], expect=2)["message"]


def test_a_file_that_is_missing_or_no_text(empty: Cli) -> None:
    assert empty.refused("verify", "none.txt", "--issuer", ISSUER)[1] == "unreadable_file"
    path = empty.folder / "bytes"
    path.write_bytes(b"\xff\xfe")
    assert empty.refused("verify", str(path), "--issuer", ISSUER)[1] == "not_recognised"


def test_mdocs_are_verified_under_the_roots_that_are_named(empty: Cli, world: World) -> None:
    iaca, holder = Iaca(), device()
    status = {"status_list": {"idx": 5, "uri": STATUS_URI}}
    elements = {"legal_person_name": "Sample Kite Trading Limited", "photo": b"\x01\x02"}
    transcript = openid4vp_transcript(
        client_id="c", nonce="n", response_uri="https://bank.example/r", jwk_thumbprint=None
    )

    async def made() -> tuple[bytes, bytes]:
        data = await issued(iaca.signer(), holder, namespaces={DOC_TYPE: elements}, status=status)
        return data, await shown(data, holder, transcript)

    handed_out, presented = map(base64url.encode, asyncio.run(made()))
    root = empty.folder / "root.cer"
    root.write_bytes(der(iaca.certificate))
    words = ("--anchors", str(root))
    document = _verify(empty, handed_out, *words)
    assert (document["kind"], document["type"], document["holder_proven"]) == (
        "mdoc",
        DOC_TYPE,
        False,
    )
    assert document["claims"]["photo"] == "AQI"
    session = ("--session-transcript", base64url.encode(transcript))
    assert _verify(empty, presented, *words, *session)["holder_proven"] is True
    document = _verify(empty, handed_out, *words, *session, expect=1)
    assert document["code"] == "key_binding_missing"
    assert _verify(empty, presented, expect=1)["code"] == "certificate_chain_invalid"
    assert _verify(empty, presented, *words, "--session-transcript", "!", expect=2)


def test_w3c_credentials_are_verified(empty: Cli, world: World) -> None:
    status = StatusReference(STATUS_URI, 5)
    issuing = vc_jwt.issue(
        world.credential_key,
        {"legal_person_name": "Sample Kite Trading Limited"},
        issuer=ISSUER,
        types=["SampleCredential"],
        issued_at=NOW,
        valid_until=NOW + 60,
        status=status,
    )
    text = asyncio.run(issuing)
    document = _verify(empty, text, "--type", "SampleCredential")
    assert (document["kind"], document["type"], document["format"]) == (
        "credential",
        "SampleCredential",
        "vc+jwt",
    )
    world.statuses.set(5, Status.INVALID)
    assert _verify(empty, text, expect=1)["code"] == "credential_revoked"


def test_a_credential_is_verified_as_of_an_instant_of_the_past(
    empty: Cli, world: World, tokens: dict[str, str]
) -> None:
    then = NOW - 3600
    asyncio.run(world.publish_past(then))
    world.statuses.set(5, 1)
    at = datetime.fromtimestamp(then, UTC).isoformat()
    early = _verify(empty, tokens["credential"], "--at", at, expect=1)
    assert early["code"] == "credential_not_yet_valid"
    old = asyncio.run(world.issued(iat=then, nbf=then))
    assert _verify(empty, old, "--at", at)["status"] == "valid"
    assert _verify(empty, old, expect=1)["code"] == "credential_revoked"
    for odd in ("2999-01-01", "yesterday"):
        assert _verify(empty, old, "--at", odd, expect=None)["error"] in (
            "usage",
            "invalid_instant",
        )
    words = ("--client-id", CLIENT, "--at", at)
    assert _verify(empty, tokens["id_token"], *words, expect=None)["error"] == "usage"


def test_status_lists_are_asked_for_as_cwt_and_read_as_cwt(
    empty: Cli, world: World, tokens: dict[str, str]
) -> None:
    assert _verify(empty, tokens["credential"], "--status-format", "cwt")["status"] == "valid"
    assert world.accepted[STATUS_URI].startswith("application/statuslist+cwt")
    (empty.folder / "list").write_bytes(asyncio.run(world.status_cwt()))
    outcome = empty.run("verify", str(empty.folder / "list"), "--issuer", ISSUER, "--json")
    assert (outcome.document["kind"], outcome.document["uri"]) == ("status_list", STATUS_URI)
    words = ("--issuer", ISSUER, "--at", "2020-01-01", "--json")
    refused = empty.run("verify", str(empty.folder / "list"), *words)
    assert refused.document["error"] == "usage"
