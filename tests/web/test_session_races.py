"""A sign-in session that ends while a request is on its way: no grant comes after its end."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from corpid.services.ports import UnitOfWork
from corpid.services.sign_in import SessionGone
from tests.support.pages_world import PASSWORD, PagesWorld


@pytest.fixture
def ended_meanwhile(world: PagesWorld, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on every session ends between a decision and what is written for it."""
    write = world.store.write

    async def ending_first(work: Callable[[UnitOfWork], Awaitable[Any]]) -> Any:
        monkeypatch.setattr(world.store, "write", write)
        now_ms = int(world.now * 1000)

        async def end(uow: UnitOfWork) -> None:
            for session in await uow.sign_ins.sessions_of("per-chan", now_ms):
                assert await uow.sign_ins.end_session(session.session_id, now_ms)

        await write(end)
        return await write(work)

    return lambda: monkeypatch.setattr(world.store, "write", ending_first)


async def test_no_code_after_a_session_that_ended_a_moment_ago(
    world: PagesWorld, ended_meanwhile: Callable[[], None]
) -> None:
    browser = await world.sign_in()
    await browser.submit(action="approve")
    assert "code" in browser.answer
    granted = len(await world.events("authorization.granted"))
    ended_meanwhile()
    await browser.get(world.request(prompt="none"))
    assert browser.answer["error"] == "login_required"
    assert len(await world.events("authorization.granted")) == granted


async def test_no_code_by_a_consent_after_the_session_ended(
    world: PagesWorld, ended_meanwhile: Callable[[], None]
) -> None:
    browser = await world.sign_in()
    ended_meanwhile()
    await browser.submit(action="approve")
    assert browser.answer["error"] == "login_required"
    assert not await world.events("authorization.granted")


@pytest.mark.parametrize("page", ["/account", "/sign-in?to=device", "/authorize"])
async def test_a_code_strengthens_no_session_that_ended_a_moment_ago(
    world: PagesWorld, ended_meanwhile: Callable[[], None], page: str
) -> None:
    browser = await world.browser().get(world.request() if page == "/authorize" else page)
    await browser.submit(username="chan", password=PASSWORD)
    ended_meanwhile()
    await browser.submit(otp=world.otp())
    assert browser.page.form_with("username"), "begin again"
    assert not await world.events("session.strengthened")


async def test_a_code_strengthens_no_session_that_went_on_under_another_cookie(
    world: PagesWorld,
) -> None:
    sign_in = world.assembly.sign_in
    session, _ = await sign_in.with_password("chan", PASSWORD, None)
    stronger, _ = await sign_in.with_code(session, world.otp())
    world.wait(30)
    with pytest.raises(SessionGone):
        await sign_in.with_code(session, world.otp())
    assert await world.store.read.sign_ins.session(stronger.session_hash) == stronger
