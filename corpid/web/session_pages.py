"""Signing out, and the choice of language: forms and links of their own."""

import re
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from corpid.domain.languages import Language, language_of
from corpid.services.backchannel import WaitingRequests
from corpid.services.device_codes import DeviceCodes
from corpid.services.sessions import LANGUAGE
from corpid.web.account_pages import build_account_router
from corpid.web.credential_pages import build_credentials_router
from corpid.web.device_pages import build_device_router
from corpid.web.forms import accepted_languages, cookies_of, read_form
from corpid.web.offer_pages import build_offers_router
from corpid.web.own_sign_in import build_own_sign_in_router
from corpid.web.pages import PageParts, build_interaction_router
from corpid.web.portal import PortalParts
from corpid.web.rendering import page_response, redirect_response
from corpid.web.request_pages import build_requests_router
from corpid.web.wording import tagged
from oidc.errors import OAuthError

_INTERACTION_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def build_pages_router(
    portal: PortalParts, codes: DeviceCodes, waiting: WaitingRequests
) -> APIRouter:
    """Every page, below the issuer's path."""
    parts = portal.pages
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
    router.include_router(build_interaction_router(parts))
    router.include_router(build_account_router(parts))
    router.include_router(build_credentials_router(portal))
    router.include_router(build_offers_router(portal))
    router.include_router(build_device_router(parts, codes))
    router.include_router(build_own_sign_in_router(parts))
    router.include_router(build_requests_router(parts, waiting))
    pages = SessionPages(parts)

    @router.get("/sign-out", summary="Ask whether to sign out")
    async def ask(request: Request) -> Response:
        return await pages.ask(request)

    @router.post("/sign-out", summary="Sign out")
    async def sign_out(request: Request) -> Response:
        return await pages.sign_out(request)

    @router.get("/language", summary="Choose the language of the pages")
    async def language(to: str = "", back: str = "") -> Response:
        return pages.choose_language(to, back)

    return router


class SessionPages:
    """The pages around a session."""

    def __init__(self, parts: PageParts) -> None:
        self._parts = parts
        base = re.escape(parts.renderer.base)
        # Only to pages of ours: anything else would be an open redirector.
        pages = (
            r"interaction/[A-Za-z0-9_-]{43}|sign-out|account|end-session(?:\?[!-~]{0,2000})?"
            r"|account/(?:credentials|offers)(?:/[A-Za-z0-9_-]{1,64}){0,3}(?:\?[a-z0-9=&.A-Z_-]{1,200})?"
            r"|sign-in\?to=[a-z]+(?:&at=[A-Za-z0-9_/-]{1,200})?|device(?:/connected|/declined)?|requests(?:/approved|/refused)?"
        )
        self._back = re.compile(rf"{base}/(?:{pages})")
        self._sign_out = f"{parts.renderer.base}/sign-out"

    async def ask(self, request: Request) -> Response:
        """The question whether to sign out, or that nobody is signed in."""
        parts = self._parts
        language = self._language(request)
        session = await parts.sessions.current(cookies_of(request))
        person = None if session is None else await parts.store.read.people.by_id(session.person_id)
        if session is None or person is None:
            html = parts.renderer.html(
                "notice.html", language, back=self._sign_out, notice="signed_out"
            )
            return page_response(html)
        html = parts.renderer.html(
            "sign_out.html",
            language,
            back=self._sign_out,
            person=tagged(person.names, language),
            csrf=parts.interactions.session_csrf(session),
        )
        return page_response(html)

    async def sign_out(self, request: Request) -> Response:
        """End the session; back to the interaction that the form came from, if it did."""
        parts = self._parts
        try:
            form = await read_form(request)
        except OAuthError as error:
            page = parts.renderer.error_page(error.code, error.description, self._language(request))
            return page_response(page.decode(), error.status)
        session = await parts.sessions.current(cookies_of(request))
        cookies: tuple[str, ...] = ()
        if session is not None:
            if not parts.interactions.is_session_csrf(session, form.get("csrf", "")):
                html = parts.renderer.html("notice.html", self._language(request), notice="forged")
                return page_response(html, 403)
            cookies = (await parts.sessions.end(session),)
        interaction_id = form.get("interaction", "")
        if _INTERACTION_ID.fullmatch(interaction_id):
            location = f"{parts.renderer.base}/interaction/{interaction_id}"
            return redirect_response(location, cookies)
        return redirect_response(self._sign_out, cookies)

    def choose_language(self, to: str, back: str) -> Response:
        """Remember the language until the browser closes, and go back."""
        location = back if self._back.fullmatch(back) else self._sign_out
        language = language_of(to[:20])
        if language is None:
            return redirect_response(location)
        return redirect_response(location, (self._parts.sessions.cookies.set(LANGUAGE, language),))

    def _language(self, request: Request) -> Language:
        return self._parts.interactions.language(
            cookies_of(request), (), accepted_languages(request)
        )
