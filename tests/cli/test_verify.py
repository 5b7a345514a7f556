"""`corpid verify`: three outcomes, three exit codes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from tests.support.cli import Cli
from tests.support.relying_world import CLIENT, ISSUER, JWKS, NOW, RESOURCE, STATUS_URI, World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()
    monkeypatch.setattr("corpid.relying_party.party.StandardFetch", lambda: made.fetch)
    with time_machine.travel(NOW, tick=False):
        yield made


def _verify(cli: Cli, token: str, *words: str, expect: int = 0) -> Any:
    (cli.folder / "token").write_text(token + "\n")
    outcome = cli.run("verify", str(cli.folder / "token"), "--issuer", ISSUER, *words, "--json")
    assert outcome.exit_code == expect, outcome
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
    ],
)
def test_each_kind_is_recognised_and_valid(
    empty: Cli, tokens: dict[str, str], kind: str, words: tuple[str, ...]
) -> None:
    document = _verify(empty, tokens[kind], *words)
    assert (document["outcome"], document["kind"]) == ("valid", kind)
    assert document["issuer"] == ISSUER


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
