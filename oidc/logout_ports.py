"""Signing out at the wish of a relying party: what it needs of the host."""

from collections.abc import Callable, Mapping
from typing import Protocol

from keys.record import record
from oidc.ports import Page, Redirect
from oidc.records import Client


@record
class LogoutRequest:
    """A logout request whose parameters were checked (RP-Initiated Logout 1.0, 2).

    ``client`` is who asks, if it said so. ``location`` is where the browser may go afterwards, an
    address that this client registered. ``hinted`` says that it showed an ID token of ours, and
    ``is_session`` whether that one is of this sign-in session (an internal id). ``csrf`` and
    ``action`` are what the host's own page added when it had asked the person.
    """

    client: Client | None
    location: str | None
    hinted: bool
    is_session: Callable[[str], bool]
    ui_locales: tuple[str, ...]
    parameters: Mapping[str, str]
    posted: bool
    csrf: str
    action: str


@record
class Shown:
    """The host shows a page, with these cookies."""

    page: Page
    status: int = 200
    cookies: tuple[str, ...] = ()


class Logouts(Protocol):
    """Signing out at the wish of a relying party: the host's sessions and pages."""

    async def end(
        self, request: LogoutRequest, cookies: Mapping[str, str], accept_language: str
    ) -> Redirect | Shown:
        """End the session, or ask first. It must ask where the request is not of that session.

        The session ends with its tokens; every other client of it is told (back-channel).
        """
