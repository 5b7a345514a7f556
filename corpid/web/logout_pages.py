"""Signing out at a relying party's wish: ``oidc.ports.Logouts``, with its pages."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from corpid.domain.languages import Language
from corpid.services.interactions import BrowserInteractions
from corpid.services.ports import Store
from corpid.services.records import Session
from corpid.services.sessions import SESSION, Sessions
from corpid.web.rendering import Renderer, policy
from corpid.web.wording import client_name, tagged
from oidc.logout_ports import LogoutRequest, Shown
from oidc.ports import Page, Redirect
from oidc.provider.endpoints import END_SESSION

REASON: Final = "rp_initiated"
_MAX_LINK: Final = 2000


class LogoutPages:
    """Asks the person where the standard demands it, and ends the session."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        interactions: BrowserInteractions,
        renderer: Renderer,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._interactions = interactions
        self._renderer = renderer
        self._address = f"{renderer.base}{END_SESSION}"

    async def end(
        self, request: LogoutRequest, cookies: Mapping[str, str], accept_language: str
    ) -> Redirect | Shown:
        """See ``Logouts.end``."""
        language = self._interactions.language(cookies, request.ui_locales, accept_language)
        session = await self._sessions.current(cookies)
        if session is None:
            return self._without_session(request, cookies, language)
        if request.is_session(session.session_id):
            return await self._end(request, session, language)
        if not request.action:
            return await self._ask(request, session, language)
        if not self._interactions.is_session_csrf(session, request.csrf):
            return self._notice("forged", language, 403)
        if request.action != "logout":
            return self._notice("stayed", language)
        return await self._end(request, session, language)

    def _without_session(
        self, request: LogoutRequest, cookies: Mapping[str, str], language: Language
    ) -> Redirect | Shown:
        """Nobody is signed in in this browser; or the browser kept the cookie back.

        Cookies that are SameSite=Lax do not come with a form that another site posted. They do
        when the browser then comes by itself, so it is sent here once more.
        """
        if request.posted and not request.action and self._cookie not in cookies:
            return Redirect(f"{self._address}?{urlencode(request.parameters)}")
        if request.hinted and request.location is not None:
            return Redirect(request.location)
        return self._done(request, language)

    async def _end(
        self, request: LogoutRequest, session: Session, language: Language
    ) -> Redirect | Shown:
        cookies = (await self._sessions.end(session, REASON),)
        if request.location is not None:
            return Redirect(request.location, cookies)
        return self._done(request, language, cookies)

    async def _ask(
        self, request: LogoutRequest, session: Session, language: Language
    ) -> Redirect | Shown:
        person = await self._store.read.people.by_id(session.person_id)
        assert person is not None  # a session is of somebody
        query = urlencode(request.parameters)
        link = f"{self._address}?{query}" if query else self._address
        html = self._renderer.html(
            "end_session.html",
            language,
            back=None if request.posted or len(link) > _MAX_LINK else link,
            address=self._address,
            parameters=request.parameters,
            csrf=self._interactions.session_csrf(session),
            person=tagged(person.names, language),
            client=None if request.client is None else client_name(request.client, language),
        )
        return Shown(Page(html.encode(), policy(request.location)))

    def _done(
        self, request: LogoutRequest, language: Language, cookies: tuple[str, ...] = ()
    ) -> Shown:
        client = request.client
        html = self._renderer.html(
            "signed_out.html",
            language,
            location=request.location,
            client=None if client is None else client_name(client, language),
        )
        return Shown(Page(html.encode(), policy()), cookies=cookies)

    def _notice(self, notice: str, language: Language, status: int = 200) -> Shown:
        html = self._renderer.html("notice.html", language, notice=notice)
        return Shown(Page(html.encode(), policy()), status)

    @property
    def _cookie(self) -> str:
        return self._sessions.cookies.name(SESSION)
