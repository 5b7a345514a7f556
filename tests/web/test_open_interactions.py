"""Interactions of one client that wait are bounded where anybody can begin some."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.browser import REDIRECT
from tests.support.pages_world import PASSWORD, PagesWorld, pages_world, populate

MOST = 10


@pytest.fixture
async def world(tmp_path: Path, database_template: Path) -> AsyncIterator[PagesWorld]:
    async with pages_world(tmp_path, database_template, open_requests_per_client=MOST) as made:
        await populate(made)
        await made.add_client("app", token_endpoint_auth_method="none")
        yield made


async def fill(world: PagesWorld, client_id: str = "app", number: int = MOST) -> None:
    for _ in range(number):
        browser = await world.browser().get(world.request(client_id))
        assert browser.page.form_with("username")


async def test_one_more_of_a_public_client_is_temporarily_unavailable(world: PagesWorld) -> None:
    await fill(world)
    browser = await world.browser().get(world.request("app"))
    assert browser.answer["error"] == "temporarily_unavailable"
    assert browser.answer["state"] == "af0ifjsldkj"
    assert browser.response.headers["location"].startswith(REDIRECT)
    world.wait(601)
    await fill(world, number=1)


async def test_what_is_finished_does_not_wait(world: PagesWorld) -> None:
    for _ in range(MOST + 2):
        browser = await world.browser().get(world.request("app", prompt="consent"))
        await browser.submit(username="chan", password=PASSWORD)
        await browser.submit(otp=world.otp())
        await browser.submit(action="approve")
        assert "code" in browser.answer
        world.wait(30)


async def test_clients_that_authenticate_are_not_counted(world: PagesWorld) -> None:
    await fill(world, "shop", 2 * MOST)


async def test_who_types_a_devices_code_is_told_to_wait(world: PagesWorld) -> None:
    code = await world.device_code()
    for number in range(MOST + 1):
        browser = await world.browser().get("/device")
        await browser.submit(user_code=code)
        assert browser.response.status_code == (200 if number < MOST else 429)
    assert "Too many people are signing in" in browser.page.text
    assert browser.response.headers["content-security-policy"]


async def test_a_device_of_a_disabled_client_has_no_pages(world: PagesWorld) -> None:
    code = await world.device_code()
    await world.write(lambda uow: uow.clients.disable("tv", int(world.now * 1000)))
    await world.write(lambda uow: uow.operations.bump("clients"))
    browser = await world.browser().get("/device")
    await browser.submit(user_code=code)
    assert browser.response.status_code == 410
