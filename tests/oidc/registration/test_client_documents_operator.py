"""Clients with a metadata document, and the operator's word, which stands."""

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from corpid.domain.errors import NotAllowed
from corpid.services.client_changes import enable
from corpid.services.clients import Clients
from corpid.services.revocation import Revocation
from corpid.settings import Settings
from tests.oidc.registration.test_client_documents import CLIENT, publish, push
from tests.support.registration_world import RegistrationWorld, jwks
from tests.support.service_process import ROOT

GUIDE = ROOT / "docs" / "guide-relying-party.md"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"client_document_hosts": ("rp.sample-bank.example",)}


async def test_an_operators_disabling_stands_whatever_is_fetched(world: RegistrationWorld) -> None:
    publish(world)
    assert (await push(world)).status == 201
    base = world.built.service.foundation
    await Revocation(base.store, base.clock, base.random).disable_client(CLIENT, "operator:test")
    assert (await push(world)).error == "invalid_client"  # although the document is fresh
    world.wait(3600)
    publish(world, client_name="Another name")
    asked = len(world.outbound.asked)
    assert (await push(world)).error == "invalid_client"
    assert len(world.outbound.asked) == asked
    assert (await world.store.read.clients.by_id(CLIENT)).disabled_at is not None
    await enable(base.store, base.clock, CLIENT, "operator:test")
    assert (await push(world)).status == 201


async def test_a_disabling_during_the_fetch_stands(world: RegistrationWorld) -> None:
    publish(world)
    assert (await push(world)).status == 201
    world.wait(3600)
    publish(world, client_name="Another name")
    base = world.built.service.foundation
    usual = world.outbound.get

    async def meanwhile(url: str, **more: Any) -> Any:
        answer = await usual(url, **more)
        await Revocation(base.store, base.clock, base.random).disable_client(url, "operator:test")
        return answer

    world.outbound.get = meanwhile  # type: ignore[method-assign]
    assert (await push(world)).error == "invalid_client"
    record = await world.store.read.clients.by_id(CLIENT)
    assert (record.disabled_at is not None, record.metadata["client_name"]) == (True, "Sample Bank")


async def test_an_operator_does_not_change_what_the_document_says(world: RegistrationWorld) -> None:
    from corpid.services.client_changes import registered

    publish(world)
    assert (await push(world)).status == 201
    base = world.built.service.foundation
    record = await world.store.read.clients.by_id(CLIENT)
    with pytest.raises(NotAllowed, match="metadata document"):
        await Clients(base.store, base.clock, base.random).replace(
            CLIENT, registered(record), "operator:test", sector=record.sector
        )


async def test_the_example_of_the_guide_is_a_client(world: RegistrationWorld) -> None:
    found = re.search(r'```\n(\{\n  "client_id".*?)```', GUIDE.read_text(), re.DOTALL)
    assert found is not None
    example = json.loads(found[1])
    assert example["client_id"] == CLIENT
    world.outbound.says(CLIENT, found[1].encode())
    world.outbound.says(example["jwks_uri"], json.dumps(jwks()).encode())
    assert (await push(world)).status == 201


@pytest.mark.parametrize(
    "wrong", ["https://rp.example", "RP.example", "*.rp.example", "rp.example/"]
)
def test_the_setting_takes_hosts_and_nothing_else(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Settings(client_document_hosts=(wrong,))
    made = Settings(client_document_hosts="rp.example, dev.rp.example:8443 *")  # type: ignore[arg-type]
    assert made.client_document_hosts == ("rp.example", "dev.rp.example:8443", "*")
