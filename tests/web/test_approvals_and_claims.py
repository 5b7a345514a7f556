"""An approval must hold when it is granted; what single claims bring is told, and is registered."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import func, select

from corpid.storage.constructs import table
from corpid.storage.statement import Statement
from oidc.errors import AccessDenied
from oidc.ports import Approval, AuthorizationRequest, ProviderWrites
from oidc.provider.authorization_request import validate
from oidc.provider.authorize import AuthorizeEndpoint
from oidc.records import Grant
from tests.support.browser import Browser
from tests.support.pages_world import PagesWorld

OPERATOR = "operator:test"
ACTS = ("close", "suspend", "end")


async def approved(world: PagesWorld) -> tuple[AuthorizationRequest, Approval]:
    """What is decided at once for somebody who agreed before."""
    browser = await world.sign_in("chan")
    await browser.submit(action="approve")
    client = await world.provider.store.read.client("shop")
    assert client is not None
    request = await validate(
        dict(parse_qsl(urlsplit(world.request()).query)),
        client,
        world.provider.config,
        dpop_jkt=None,
        pushed_request_hash=None,
    )
    cookies = {cookie.name: cookie.value or "" for cookie in browser.client.cookies.jar}
    decided = await world.assembly.interactions.decide(request, cookies, "")
    assert isinstance(decided, Approval)
    return request, decided


async def act_of(world: PagesWorld, name: str) -> None:
    revocation = world.service.foundation.revocation
    if name == "close":
        await revocation.close_person("per-chan", OPERATOR, "asked for it")
    elif name == "suspend":
        await revocation.suspend_organisation("org-12345678", OPERATOR, "inquiry")
    else:
        await revocation.end_representation("rep-chan-12345678", OPERATOR, "resigned")


async def live_grants(world: PagesWorld) -> int:
    grant = table("authorization_grant")
    counting = select(func.count()).select_from(grant).where(grant.c.ended_at.is_(None))
    row = await world.service.foundation.database.one(Statement(counting))
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("name", ACTS)
async def test_a_silent_approval_that_ends_before_it_is_granted_gives_nothing(
    world: PagesWorld, name: str
) -> None:
    request, approval = await approved(world)
    await act_of(world, name)
    with pytest.raises(AccessDenied):
        await AuthorizeEndpoint(world.provider).complete(request, approval)
    assert await live_grants(world) == 0


@pytest.mark.parametrize("name", ACTS)
async def test_an_interaction_whose_approval_ends_before_it_is_finished_gives_nothing(
    world: PagesWorld, name: str
) -> None:
    _, approval = await approved(world)
    browser = await world.sign_in("chan", prompt="consent")
    cookies = {cookie.name: cookie.value or "" for cookie in browser.client.cookies.jar}
    interactions = world.assembly.interactions
    waiting = await interactions.find(browser.url.rpartition("/")[2], cookies)
    await act_of(world, name)

    async def issue(writes: ProviderWrites) -> None:
        raise AssertionError("nothing may be issued")

    with pytest.raises(AccessDenied):
        await interactions.finish(waiting, approval, issue, consented=True)


async def grant_of(world: PagesWorld, browser: Browser) -> Grant:
    code = world.provider.hasher.key(browser.answer["code"])
    found = await world.store.read.provider_reads.code(code)
    assert found is not None
    grant: Grant = found[1]
    return grant


async def test_a_single_claim_of_the_persons_name_is_told_on_the_page(world: PagesWorld) -> None:
    claims = '{"userinfo":{"act":null}}'
    browser = await world.sign_in("chan", scope="openid", claims=claims)
    assert "your name" in browser.page.text
    await browser.submit(action="approve")
    grant = await grant_of(world, browser)
    client = await world.provider.store.read.client("shop")
    assert client is not None
    told = await world.provider.claims.userinfo(grant, client)
    assert told["act"]["sub_attributes"]["name"] == "Chan Sample"


async def test_single_claims_bring_nothing_that_the_client_is_not_registered_for(
    world: PagesWorld,
) -> None:
    await world.add_client("narrow", scope="openid email")
    asked = '"act":null,"sub_attributes":null,"mandate":null,"entity_profile":null,"address":null'
    claims = f'{{"userinfo":{{{asked}}},"id_token":{{{asked}}}}}'
    browser = await world.sign_in("chan", client_id="narrow", scope="openid", claims=claims)
    for sentence in ("your name", "registration number, names", "what you may do"):
        assert sentence not in browser.page.text
    await browser.submit(action="approve")
    grant = await grant_of(world, browser)
    client = await world.provider.store.read.client("narrow")
    assert client is not None
    port = world.provider.claims
    for told in (await port.userinfo(grant, client), await port.id_token(grant, client)):
        assert set(told) == {"sub", "sub_type", "act"}
        assert set(told["act"]) == {"sub", "sub_type"}
