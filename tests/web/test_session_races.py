"""A sign-in session that ends while a request is on its way: no grant comes after its end."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from corpid.services.ports import UnitOfWork
from tests.support.pages_world import PagesWorld


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
