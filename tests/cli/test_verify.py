"""`corpid verify`: three outcomes, three exit codes."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from keys.jwe import encrypt
from keys.jwk import parse_public
from keys.signer import generate
from tests.support.cli import Cli
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
    monkeypatch.setattr("corpid.relying_party.party.StandardFetch", lambda: made.fetch)
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
