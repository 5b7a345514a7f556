"""/account: a person sees where they are signed in, and ends what they do not know or need."""

import hmac
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
from corpid.services.session_list import SessionView
from corpid.services.sessions import SESSION
from corpid.services.sign_in import SessionGone, TooManyTries, WrongCredentials
from corpid.web.client_address import visitor_of
from corpid.web.forms import accepted_languages, cookies_of, read_form
from corpid.web.pages import PageParts
from corpid.web.rendering import page_response, redirect_response
from corpid.web.translations import Texts
from corpid.web.wording import client_name, moment, tagged, wait_text
from oidc.errors import OAuthError

PATH: Final = "/account"
_SIGN_IN: Final = "sign-in"
_CODE: Final = "code"
_LIST: Final = "sessions"


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request of a browser: who it is, and what is still needed of them."""

    session: Session | None
    person: Person | None
    step: str
    language: Language
    csrf: str
    cookies: tuple[str, ...]
    visitor: Visitor


def build_account_router(parts: PageParts) -> APIRouter:
    """GET and POST /account."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
    pages = AccountPages(parts)

    @router.get(PATH, summary="Where a person is signed in")
    async def show(request: Request) -> Response:
        return await pages.answer(request)

    @router.post(PATH, summary="Sign in to that page, or end sessions")
    async def do(request: Request) -> Response:
        return await pages.answer(request)

    return router


class AccountPages:
    """Signs in as surely as the person can, lists sessions, ends them."""

    def __init__(self, parts: PageParts) -> None:
        self._parts = parts
        self._path = f"{parts.renderer.base}{PATH}"

    async def answer(self, request: Request) -> Response:
        """One request."""
        visit = await self._visit(request)
        if request.method != "POST":
            return await self._show(visit)
        try:
            form = await read_form(request)
        except OAuthError as error:
            page = self._parts.renderer.error_page(error.code, error.description, visit.language)
            return page_response(page.decode(), error.status)
        if not hmac.compare_digest(visit.csrf.encode(), form.get("csrf", "").encode()):
            html = self._parts.renderer.html("notice.html", visit.language, notice="forged")
            return page_response(html, 403)
        if form.get("step") != visit.step:
            return redirect_response(self._path)  # another window was quicker
        return await self._do(visit, form)

    async def _do(self, visit: _Visit, form: Mapping[str, str]) -> Response:
        if visit.step == _SIGN_IN:
            return await self._sign_in(visit, form)
        if visit.step == _CODE:
            return await self._give_code(visit, form)
        return await self._end(visit, form)

    async def _visit(self, request: Request) -> _Visit:
        parts = self._parts
        language = parts.interactions.language(cookies_of(request), (), accepted_languages(request))
        visitor = visitor_of(request, parts.sessions.cookies, parts.proxies)
        session = await parts.sessions.current(cookies_of(request))
        person = None if session is None else await parts.store.read.people.by_id(session.person_id)
        if session is None or person is None or person.closed_at is not None:
            csrf, cookies = parts.interactions.door(cookies_of(request))
            return _Visit(None, None, _SIGN_IN, language, csrf, cookies, visitor)
        # As surely as the person can: whoever knows only the password must not end sessions.
        needs_code = session.assurance is Assurance.LOA1
        step = _CODE if needs_code and await parts.sign_in.has_code(person.person_id) else _LIST
        csrf = parts.interactions.session_csrf(session)
        return _Visit(session, person, step, language, csrf, (), visitor)

    async def _sign_in(self, visit: _Visit, form: Mapping[str, str]) -> Response:
        texts = Texts(visit.language)
        username, password = form.get("username", ""), form.get("password", "")
        missing = {
            name: texts(f"sign_in.{name}_missing")
            for name, value in (("username", username.strip()), ("password", password))
            if not value
        }
        if missing:
            return await self._show(visit, missing, username, 400)
        try:
            session, cookie = await self._parts.sign_in.with_password(
                username, password, visit.session, visitor=visit.visitor
            )
        except WrongCredentials:
            return await self._show(visit, {"username": texts("sign_in.wrong")}, username, 400)
        except TooManyTries as error:
            return await self._wait(visit, "username", error, username)
        known = await self._parts.sign_in.remember(session, visit.visitor)
        return redirect_response(self._path, (cookie, *known))

    async def _give_code(self, visit: _Visit, form: Mapping[str, str]) -> Response:
        texts = Texts(visit.language)
        code = form.get("otp", "")
        assert visit.session is not None  # a code is only asked of somebody who is signed in
        if not code.strip():
            return await self._show(visit, {"otp": texts("code.missing")}, "", 400)
        try:
            stronger, cookie = await self._parts.sign_in.with_code(
                visit.session, code, visitor=visit.visitor
            )
        except SessionGone:
            return redirect_response(self._path)
        except WrongCredentials:
            return await self._show(visit, {"otp": texts("code.wrong")}, code[:12], 400)
        except TooManyTries as error:
            return await self._wait(visit, "otp", error, code[:12])
        known = await self._parts.sign_in.remember(stronger, visit.visitor)
        return redirect_response(self._path, (cookie, *known))

    async def _end(self, visit: _Visit, form: Mapping[str, str]) -> Response:
        assert visit.session is not None
        mine = visit.session
        views = await self._parts.session_list.of(mine.person_id)
        chosen = form.get("end", "")
        others = [one.session.session_id for one in views if not _is(one.session, mine)]
        named = [one.session.session_id for one in views if chosen == self._handle(one.session)]
        ids = others if chosen == "others" else named
        await self._parts.session_list.end(ids, mine.person_id, "account_page")
        if mine.session_id in ids:
            gone = self._parts.sessions.cookies.clear(SESSION)
            return redirect_response(f"{self._parts.renderer.base}/sign-out", (gone,))
        return redirect_response(self._path)

    async def _wait(self, visit: _Visit, field: str, error: TooManyTries, typed: str) -> Response:
        message = wait_text(Texts(visit.language), error.seconds, known=error.known)
        headers = {"retry-after": str(error.seconds)}
        return await self._show(visit, {field: message}, typed, 429, headers)

    async def _show(
        self,
        visit: _Visit,
        errors: Mapping[str, Any] | None = None,
        typed: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        template, values = await self._page(visit, typed)
        texts = Texts(visit.language)
        html = self._parts.renderer.html(
            template,
            visit.language,
            back=self._path,
            errors=errors or {},
            form={
                "action": self._path,
                "csrf": visit.csrf,
                "step": visit.step,
                "interaction_id": "",
                "client": texts("account.name"),
                "person": None
                if visit.person is None
                else tagged(visit.person.names, visit.language),
                "session_csrf": visit.csrf,
                "cancel": False,
            },
            **values,
        )
        return page_response(html, status, headers=headers, cookies=visit.cookies)

    async def _page(self, visit: _Visit, typed: str) -> tuple[str, dict[str, Any]]:
        if visit.step == _SIGN_IN:
            return "sign_in.html", {"username": typed[:100], "again": None}
        if visit.step == _CODE:
            return "code.html", {"otp": typed}
        assert visit.session is not None
        views = await self._parts.session_list.of(visit.session.person_id)
        shown = [self._described(one, visit.session, visit.language) for one in views]
        return "account.html", {"sessions": shown}

    def _described(self, view: SessionView, mine: Session, language: Language) -> dict[str, Any]:
        texts, session = Texts(language), view.session
        names = [client_name(client, language) for client in view.clients]
        return {
            "handle": self._handle(session),
            "mine": _is(session, mine),
            "browser": session.browser or texts("account.browser"),
            "began": moment(session.began_at, language),
            "used": moment(session.used_at, language),
            "clients": texts.listed(names) if names else None,
        }

    def _handle(self, session: Session) -> str:
        return self._parts.interactions.handle(session)


def _is(session: Session, other: Session) -> bool:
    return session.session_id == other.session_id
