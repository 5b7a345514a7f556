"""/requests: what services ask of the person who is signed in here, elsewhere begun (CIBA)."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from starlette.responses import Response

from corpid.domain.languages import Language
from corpid.domain.person import Assurance, Person
from corpid.services.backchannel import WaitingRequests
from corpid.services.polled_interactions import Polled
from corpid.services.records import Session
from corpid.web.forms import cookies_of, read_form
from corpid.web.pages import PageParts
from corpid.web.polled_ends import APPROVED, REFUSED, REQUESTS
from corpid.web.polled_pages import begun, ended, language_of
from corpid.web.rendering import page_response, redirect_response
from corpid.web.translations import Texts
from corpid.web.wording import client_name, tagged
from keys import base64url
from oidc.errors import OAuthError
from oidc.records import PolledRequest

_SIGN_IN: Final = "/sign-in?to=requests"


@dataclass(frozen=True, slots=True)
class _View:
    """One request in the list."""

    handle: str
    client: Markup
    message: str


def build_requests_router(parts: PageParts, waiting: WaitingRequests) -> APIRouter:
    """GET and POST /requests, and the pages at the end."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
    pages = RequestPages(parts, waiting)

    @router.get(REQUESTS, summary="What services ask of the person who is signed in")
    async def show(request: Request) -> Response:
        return await pages.answer(request)

    @router.post(REQUESTS, summary="Look at one of them")
    async def look(request: Request) -> Response:
        return await pages.look(request)

    @router.get(APPROVED, summary="The request was approved")
    async def approved(request: Request) -> Response:
        return ended(parts, request, "approved", APPROVED)

    @router.get(REFUSED, summary="The request was refused")
    async def refused(request: Request) -> Response:
        return ended(parts, request, "refused", REFUSED)

    return router


class RequestPages:
    """Lists what waits, and opens one: from there it is an interaction like any other."""

    def __init__(self, parts: PageParts, waiting: WaitingRequests) -> None:
        self._parts = parts
        self._waiting = waiting
        self._path = parts.renderer.base + REQUESTS

    async def answer(self, request: Request) -> Response:
        """The list, or the sign-in before it."""
        signed_in = await self._signed_in(request)
        if signed_in is None:
            return redirect_response(self._parts.renderer.base + _SIGN_IN)
        session, person = signed_in
        language = language_of(self._parts, request)
        found = await self._waiting.of(person.person_id)
        html = self._parts.renderer.html(
            "requests.html",
            language,
            back=self._path,
            action=self._path,
            csrf=self._parts.interactions.session_csrf(session),
            person=tagged(person.names, language),
            requests=[await self._view(one, language) for one in found],
        )
        return page_response(html)

    async def look(self, request: Request) -> Response:
        """Begin the interaction of one of the requests that are listed."""
        parts = self._parts
        language = language_of(self._parts, request)
        try:
            form = await read_form(request)
        except OAuthError as error:
            page = parts.renderer.error_page(error.code, error.description, language)
            return page_response(page.decode(), error.status)
        signed_in = await self._signed_in(request)
        if signed_in is None:
            return redirect_response(parts.renderer.base + _SIGN_IN)
        session, person = signed_in
        if not parts.interactions.is_session_csrf(session, form.get("csrf", "")):
            return page_response(parts.renderer.html("notice.html", language, notice="forged"), 403)
        for one in await self._waiting.of(person.person_id):
            if _handle(one) == form.get("request", ""):
                polled = Polled(one, "", confirmed=True)
                return await begun(parts, polled, request, language)
        return redirect_response(self._path)  # answered meanwhile, or expired

    async def _signed_in(self, request: Request) -> tuple[Session, Person] | None:
        """Who is signed in here, as surely as they can."""
        parts = self._parts
        session = await parts.sessions.current(cookies_of(request))
        if session is None:
            return None
        person = await parts.store.read.people.by_id(session.person_id)
        if person is None or person.closed_at is not None:
            return None
        weak = not session.assurance.meets(Assurance.LOA2)
        if weak and await parts.sign_in.has_code(person.person_id):
            return None
        return session, person

    async def _view(self, polled: PolledRequest, language: Language) -> _View:
        client = await self._parts.store.read.provider_reads.client(polled.client_id)
        name = Texts(language)("requests.gone") if client is None else client_name(client, language)
        return _View(_handle(polled), name, polled.parameters.get("binding_message", ""))


def _handle(polled: PolledRequest) -> str:
    return base64url.encode(polled.code_hash)
