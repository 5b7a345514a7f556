"""Sectors of self-registered clients (OpenID Connect Core 8.1, Registration 5)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from corpid.services.registration_policy import RegistrationPolicy
from oidc.ports import FetchFailed
from tests.support.registration_world import CALLBACK, RegistrationWorld, metadata

SECTOR_URI = "https://group.sample-bank.example/redirects.json"
MOBILE = "https://m.sample-bank.example/callback"
BOTH = [CALLBACK, MOBILE]


def documented(world: RegistrationWorld, value: Any) -> None:
    world.outbound.says(SECTOR_URI, json.dumps(value).encode())


async def sector_of(world: RegistrationWorld, client_id: str) -> str:
    return str((await world.store.read.clients.by_id(client_id)).sector)


async def test_oidcc_registration_sector_uri_the_sector_is_its_host(
    world: RegistrationWorld,
) -> None:
    documented(world, [*BOTH, "https://third.sample-bank.example/callback"])
    client = await world.registered(redirect_uris=BOTH, sector_identifier_uri=SECTOR_URI)
    assert client["sector_identifier_uri"] == SECTOR_URI
    assert await sector_of(world, client["client_id"]) == "group.sample-bank.example"
    assert world.outbound.asked == [SECTOR_URI]


async def test_without_one_the_sector_is_the_redirect_uris_host(world: RegistrationWorld) -> None:
    client = await world.registered()
    assert await sector_of(world, client["client_id"]) == "rp.sample-bank.example"
    assert world.outbound.asked == []


async def test_core_8_1_several_hosts_need_a_sector_identifier_uri(
    world: RegistrationWorld,
) -> None:
    assert await world.refused(redirect_uris=BOTH) == "invalid_client_metadata"


async def test_core_8_1_the_operator_may_name_the_sector_of_those_whom_a_token_is_for(
    world: RegistrationWorld,
) -> None:
    named = replace(RegistrationPolicy(), sector="Group.Sample-Bank.example")
    token = await world.initial_token(named, count=2)
    answer = await world.register(metadata(redirect_uris=BOTH), token)
    assert answer.status == 201, answer.body
    client_id = answer.json["client_id"]
    assert await sector_of(world, client_id) == "group.sample-bank.example"
    # It stays with what the client changes later, and a document that the client has goes first.
    changed = await world.manage(
        "PUT", answer.json, {**metadata(redirect_uris=[CALLBACK]), "client_id": client_id}
    )
    assert changed.status == 200, changed.body
    assert await sector_of(world, client_id) == "group.sample-bank.example"
    uri = "https://other.sample-bank.example/redirects.json"
    world.outbound.says(uri, json.dumps(BOTH).encode())
    by_document = metadata(redirect_uris=BOTH, sector_identifier_uri=uri)
    second = (await world.register(by_document, token)).json["client_id"]
    assert await sector_of(world, second) == "other.sample-bank.example"


@pytest.mark.parametrize(
    "value",
    [
        [CALLBACK],  # oidcc-registration-sector-bad: one is missing
        [],
        [CALLBACK, MOBILE.upper()],
        [CALLBACK, f"{MOBILE}/"],
        {"redirect_uris": BOTH},
        "https://rp.example",
        [*BOTH, 7],
        None,
    ],
)
async def test_oidcc_registration_sector_bad(world: RegistrationWorld, value: Any) -> None:
    documented(world, value)
    refused = await world.refused(redirect_uris=BOTH, sector_identifier_uri=SECTOR_URI)
    assert refused == "invalid_client_metadata"


async def test_a_sector_document_that_is_no_json_or_not_there_is_refused(
    world: RegistrationWorld,
) -> None:
    refused = {"redirect_uris": BOTH, "sector_identifier_uri": SECTOR_URI}
    assert await world.refused(**refused) == "invalid_client_metadata"
    world.outbound.says(SECTOR_URI, b"<html>")
    assert await world.refused(**refused) == "invalid_client_metadata"
    world.outbound.documents[SECTOR_URI] = FetchFailed("the host has no public address")
    answer = await world.register(metadata(**refused))
    assert answer.error == "invalid_client_metadata"
    assert "no public address" in answer.json["error_description"]


@pytest.mark.parametrize("uri", ["http://group.example/x", "https://user@group.example/x"])
async def test_registration_5_the_address_is_https(world: RegistrationWorld, uri: str) -> None:
    assert await world.refused(sector_identifier_uri=uri) == "invalid_client_metadata"
    assert world.outbound.asked == []


async def test_the_sector_stays_when_the_registration_changes(world: RegistrationWorld) -> None:
    documented(world, BOTH)
    client = await world.registered(redirect_uris=BOTH, sector_identifier_uri=SECTOR_URI)
    document = {
        **metadata(redirect_uris=[MOBILE], sector_identifier_uri=SECTOR_URI),
        "client_id": client["client_id"],
    }
    world.wait(1)
    assert (await world.manage("PUT", client, document)).status == 200
    del document["sector_identifier_uri"]  # now the redirect URI's host would be the sector
    answer = await world.manage("PUT", client, document)
    assert (answer.status, answer.error) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("settings", [{"registration": "open", "registration_per_hour": 1}])
async def test_nothing_is_fetched_for_a_registration_that_is_one_too_many(
    world: RegistrationWorld,
) -> None:
    documented(world, BOTH)
    sectored = metadata(redirect_uris=BOTH, sector_identifier_uri=SECTOR_URI)
    assert (await world.ask("POST", "/register", metadata())).status == 201
    answer = await world.ask("POST", "/register", sectored)
    assert (answer.status, answer.error) == (429, "temporarily_unavailable")
    assert world.outbound.asked == []


@pytest.mark.parametrize("settings", [{"registration": "open", "registration_per_hour": 3}])
async def test_documents_that_lead_to_no_registration_are_fetched_as_often_and_no_more(
    world: RegistrationWorld,
) -> None:
    sectored = metadata(redirect_uris=BOTH, sector_identifier_uri=SECTOR_URI)
    statuses = [(await world.ask("POST", "/register", sectored)).status for _ in range(5)]
    assert statuses == [400, 400, 400, 429, 429]
    assert len(world.outbound.asked) == 3
    assert (await world.ask("POST", "/register", metadata())).status == 201, "nothing to fetch"
    world.wait(1201)
    assert (await world.ask("POST", "/register", sectored)).status == 400
