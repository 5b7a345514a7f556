"""/sign-in: signing in for pages of our own, when no relying party has asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from corpid.domain.languages import Language
from corpid.domain.person import Assurance, Person
from corpid.services.guessing import Visitor
from corpid.services.records import Session
from corpid.services.sessions import INTERACTION
from corpid.services.sign_in import SessionGone, TooManyTries, WrongCredentials
from corpid.web.client_address import visitor_of
from corpid.web.forms import accepted_languages, cookies_of, read_form
from corpid.web.pages import PageParts
from corpid.web.polled_ends import REQUESTS
from corpid.web.portal import ACT, CREDENTIALS
from corpid.web.rendering import page_response, redirect_response
from corpid.web.translations import Texts
from corpid.web.wording import tagged, wait_text
from oidc.errors import OAuthError
from oidc.provider.endpoints import DEVICE

PATH: Final = "/sign-in"
TARGETS: Final[Mapping[str, str]] = {
    "device": DEVICE,
    "requests": REQUESTS,
    "credentials": CREDENTIALS,
}
"""Where one goes afterwards, by a name: an address would be an open redirector."""
_PLACE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}/[a-z]{1,20}")


@dataclass(frozen=True, slots=True)
class _Goal:
    """A page of ours to which one wants to go; ``recent``: after a sign-in a short while ago."""

    query: str
    path: str
    recent: bool = False


def _goal(to: str, at: str) -> _Goal | None:
    """The one that is named; an act on a credential by its place under the credentials' pages."""
    if to == ACT:
        found = _PLACE.fullmatch(at) is not None
        return _Goal(f"to={ACT}&at={at}", f"{CREDENTIALS}/{at}", recent=True) if found else None
    path = TARGETS.get(to)
    return None if path is None else _Goal(f"to={to}", path)


def build_own_sign_in_router(parts: PageParts) -> APIRouter:
    """GET and POST /sign-in."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
    pages = OwnSignInPages(parts)

    @router.get(PATH, summary="Sign in for our own pages")
    async def show(request: Request, to: str = "", at: str = "") -> Response:
        return await pages.answer(request, _goal(to, at), None)

    @router.post(PATH, summary="Do the next step of signing in")
    async def do(request: Request, to: str = "", at: str = "") -> Response:
        return await pages.do(request, _goal(to, at))

    return router


class OwnSignInPages:
    """Password, then a one-time code where the person has one."""

    def __init__(self, parts: PageParts) -> None:
        self._parts = parts

    async def do(self, request: Request, goal: _Goal | None) -> Response:
        """One posted form."""
        try:
            form = await read_form(request)
        except OAuthError as error:
            language = self._language(request)
            page = self._parts.renderer.error_page(error.code, error.description, language)
            return page_response(page.decode(), error.status)
        return await self.answer(request, goal, form)

    async def answer(
        self, request: Request, goal: _Goal | None, form: Mapping[str, str] | None
    ) -> Response:
        """The page of the step that is due, or what its form does."""
        parts = self._parts
        if goal is None:
            html = parts.renderer.html("notice.html", self._language(request), notice="gone")
            return page_response(html, 404)
        if form is not None and not parts.interactions.is_page_csrf(
            PATH, cookies_of(request), form.get("csrf", "")
        ):
            html = parts.renderer.html("notice.html", self._language(request), notice="forged")
            return page_response(html, 403)
        session = await parts.sessions.current(cookies_of(request))
        person = None
        if session is not None:
            person = await parts.store.read.people.by_id(session.person_id)
        if session is None or person is None or person.closed_at is not None:
            return await self._password(request, goal, form, session)
        if goal.recent and not parts.sessions.is_recent(session):
            return await self._password(request, goal, form, session, again=True)
        if await self._is_enough(session):
            return redirect_response(parts.renderer.base + goal.path)
        return await self._code(request, goal, form, session, person)

    async def _is_enough(self, session: Session) -> bool:
        """At loa2, or as strong as the person can."""
        if session.assurance.meets(Assurance.LOA2):
            return True
        return not await self._parts.sign_in.has_code(session.person_id)

    async def _password(
        self,
        request: Request,
        goal: _Goal,
        form: Mapping[str, str] | None,
        previous: Session | None,
        *,
        again: bool = False,
    ) -> Response:
        texts = Texts(self._language(request))
        if form is None or form.get("step") != "sign-in":
            return self._show(request, goal, "sign-in", {}, "", again=again)
        username, password = form.get("username", ""), form.get("password", "")
        missing = {
            name: texts(f"sign_in.{name}_missing")
            for name, value in (("username", username.strip()), ("password", password))
            if not value
        }
        if missing:
            return self._show(request, goal, "sign-in", missing, username)
        try:
            session, cookie = await self._parts.sign_in.with_password(
                username, password, previous, visitor=self._visitor(request)
            )
        except WrongCredentials:
            wrong = {"username": texts("sign_in.wrong")}
            return self._show(request, goal, "sign-in", wrong, username)
        except TooManyTries as error:
            return self._wait(request, goal, "sign-in", error, username)
        known = await self._parts.sign_in.remember(session, self._visitor(request))
        return redirect_response(self._path(goal), (cookie, *known))

    async def _code(
        self,
        request: Request,
        goal: _Goal,
        form: Mapping[str, str] | None,
        session: Session,
        person: Person,
    ) -> Response:
        texts = Texts(self._language(request))
        signed_in = (session, person)
        if form is None or form.get("step") != "code":
            return self._show(request, goal, "code", {}, "", signed_in)
        code = form.get("otp", "")
        if not code.strip():
            return self._show(request, goal, "code", {"otp": texts("code.missing")}, "", signed_in)
        try:
            stronger, cookie = await self._parts.sign_in.with_code(
                session, code, visitor=self._visitor(request)
            )
        except SessionGone:
            return redirect_response(self._path(goal))
        except WrongCredentials:
            wrong = {"otp": texts("code.wrong")}
            return self._show(request, goal, "code", wrong, code[:12], signed_in)
        except TooManyTries as error:
            return self._wait(request, goal, "code", error, code[:12], signed_in)
        known = await self._parts.sign_in.remember(stronger, self._visitor(request))
        return redirect_response(self._path(goal), (cookie, *known))

    def _wait(
        self,
        request: Request,
        goal: _Goal,
        step: str,
        error: TooManyTries,
        typed: str,
        signed_in: tuple[Session, Person] | None = None,
    ) -> Response:
        field = "username" if step == "sign-in" else "otp"
        message = {
            field: wait_text(Texts(self._language(request)), error.seconds, known=error.known)
        }
        response = self._show(request, goal, step, message, typed, signed_in, status=429)
        response.headers["retry-after"] = str(error.seconds)
        return response

    def _show(
        self,
        request: Request,
        goal: _Goal,
        step: str,
        errors: Mapping[str, str],
        typed: str,
        signed_in: tuple[Session, Person] | None = None,
        *,
        status: int | None = None,
        again: bool = False,
    ) -> Response:
        parts, language = self._parts, self._language(request)
        binding = parts.interactions.binding(cookies_of(request))
        cookies: tuple[str, ...] = ()
        if binding is None:
            binding = parts.interactions.new_binding()
            cookies = (parts.sessions.cookies.set(INTERACTION, binding),)
        session_csrf = ""
        if signed_in is not None:
            session_csrf = parts.interactions.session_csrf(signed_in[0])
        form: dict[str, Any] = {
            "action": self._path(goal),
            "csrf": parts.interactions.page_csrf(PATH, binding),
            "step": step,
            "interaction_id": "",
            "client": Texts(language)("product"),
            "person": None if signed_in is None else tagged(signed_in[1].names, language),
            "session_csrf": session_csrf,
            "cancel": False,
            "polled": False,
        }
        why = "stale" if again else None
        values = {"otp": typed} if step == "code" else {"username": typed[:100], "again": why}
        html = parts.renderer.html(
            "code.html" if step == "code" else "sign_in.html",
            language,
            back=self._path(goal),
            form=form,
            errors=errors,
            **values,
        )
        return page_response(html, status or (400 if errors else 200), cookies=cookies)

    def _path(self, goal: _Goal) -> str:
        return f"{self._parts.renderer.base}{PATH}?{goal.query}"

    def _visitor(self, request: Request) -> Visitor:
        return visitor_of(request, self._parts.sessions.cookies, self._parts.proxies)

    def _language(self, request: Request) -> Language:
        return self._parts.interactions.language(
            cookies_of(request), (), accepted_languages(request)
        )
