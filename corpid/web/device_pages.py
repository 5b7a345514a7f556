"""/device: where a person types the code that a device shows (RFC 8628 3.3)."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from corpid.services.device_codes import DeviceCodes, SignInFirst, WrongUserCode
from corpid.services.sessions import INTERACTION
from corpid.services.sign_in import TooManyTries
from corpid.web.client_address import client_address
from corpid.web.forms import cookies_of, read_form
from corpid.web.pages import PageParts
from corpid.web.polled_ends import CONNECTED, DECLINED
from corpid.web.polled_pages import begun, ended, language_of
from corpid.web.rendering import page_response
from corpid.web.translations import Texts
from corpid.web.wording import wait_text
from oidc.errors import OAuthError
from oidc.provider.endpoints import DEVICE

_MAX_TYPED: Final = 20


def build_device_router(parts: PageParts, codes: DeviceCodes) -> APIRouter:
    """GET and POST /device, and the pages at the end."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
    pages = DevicePages(parts, codes)

    @router.get(DEVICE, summary="Type the code of a device")
    async def ask(request: Request, user_code: str = "") -> Response:
        return pages.ask(request, user_code)

    @router.post(DEVICE, summary="Find the device of that code")
    async def enter(request: Request) -> Response:
        return await pages.enter(request)

    @router.get(CONNECTED, summary="The device is connected")
    async def connected(request: Request) -> Response:
        return ended(parts, request, "connected", CONNECTED)

    @router.get(DECLINED, summary="The device was declined")
    async def declined(request: Request) -> Response:
        return ended(parts, request, "declined", DECLINED)

    return router


class DevicePages:
    """The pages outside an interaction; the rest are those of every sign-in."""

    def __init__(self, parts: PageParts, codes: DeviceCodes) -> None:
        self._parts = parts
        self._codes = codes
        self._path = parts.renderer.base + DEVICE

    def ask(self, request: Request, user_code: str) -> Response:
        """The form; a code from the address is filled in, and still confirmed (3.3.1)."""
        return self._form(request, typed=user_code)

    async def enter(self, request: Request) -> Response:
        """The code was typed: on to the pages of that request."""
        parts = self._parts
        texts = Texts(language_of(self._parts, request))
        try:
            form = await read_form(request)
        except OAuthError as error:
            page = parts.renderer.error_page(error.code, error.description, texts.language)
            return page_response(page.decode(), error.status)
        if not parts.interactions.is_page_csrf(DEVICE, cookies_of(request), form.get("csrf", "")):
            html = parts.renderer.html("notice.html", texts.language, notice="forged")
            return page_response(html, 403)
        try:
            return await self._begin(request, form.get("user_code", ""))
        except TooManyTries as error:
            wait = {"user_code": wait_text(texts, error.seconds, known=True)}
            headers = {"retry-after": str(error.seconds)}
            return self._form(request, wait, status=429, headers=headers)
        except SignInFirst:
            first = {"user_code": texts("device.sign_in_first")}
            return self._form(request, first, status=429, sign_in=True)

    async def _begin(self, request: Request, typed: str) -> Response:
        parts = self._parts
        texts = Texts(language_of(self._parts, request))
        if not typed.strip():
            return self._form(request, {"user_code": texts("device.missing")}, status=400)
        try:
            found = await self._codes.enter(
                typed,
                session=await parts.sessions.current(cookies_of(request)),
                browser=parts.interactions.binding(cookies_of(request)) or "",
                address=client_address(request, parts.proxies),
            )
        except WrongUserCode:
            wrong = {"user_code": texts("device.wrong")}
            return self._form(request, wrong, typed=typed, status=400)
        return await begun(parts, found, request, texts.language)

    def _form(
        self,
        request: Request,
        errors: Mapping[str, str] | None = None,
        *,
        typed: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        sign_in: bool = False,
    ) -> Response:
        parts = self._parts
        binding = parts.interactions.binding(cookies_of(request))
        cookies: tuple[str, ...] = ()
        if binding is None:
            binding = parts.interactions.new_binding()
            cookies = (parts.sessions.cookies.set(INTERACTION, binding),)
        html = parts.renderer.html(
            "device.html",
            language_of(self._parts, request),
            back=self._path,
            action=self._path,
            csrf=parts.interactions.page_csrf(DEVICE, binding),
            user_code=typed[:_MAX_TYPED],
            errors=errors or {},
            sign_in=sign_in,
        )
        return page_response(html, status, headers=headers, cookies=cookies)
