"""Turning templates into pages, and pages into responses with the headers that guard them."""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from corpid.domain.languages import LANGUAGES, Language
from corpid.web.translations import Texts
from corpid.web.wording import host_of
from oidc.ports import Page

_FOLDER: Final = Path(__file__).parent
STATIC_FOLDER: Final = _FOLDER / "static"
_STATIC_SECONDS: Final = 24 * 3600
# The one script of ours: posts the form that stands before it. Without it there is the button.
_POST_THE_FORM: Final = 'document.getElementById("form_post").submit();'
_ITS_HASH: Final = base64.b64encode(hashlib.sha256(_POST_THE_FORM.encode()).digest()).decode()
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")


@cache
def _environment() -> Environment:
    """Nothing in it is an application's own, and it keeps what the templates compile to."""
    return Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


class Renderer:
    """Renders templates. ``issuer`` gives the path that every link begins with."""

    def __init__(self, issuer: str) -> None:
        self.base = urlsplit(issuer).path.rstrip("/")
        self._environment = _environment()
        style = (STATIC_FOLDER / "pages.css").read_bytes()
        self._version = hashlib.sha256(style).hexdigest()[:12]

    def html(
        self, template: str, language: Language, *, back: str | None = None, **values: Any
    ) -> str:
        """A page. ``back`` is the path that the language links return to; None hides them."""
        return self._environment.get_template(template).render(
            t=Texts(language),
            language=language,
            languages=LANGUAGES if back is not None else (),
            base=self.base,
            back=None if back is None else quote(back, safe=""),
            style=f"{self.base}/static/pages.css?v={self._version}",
            **values,
        )

    def error_page(self, code: str, description: str, language: Language) -> bytes:
        """The page for an error that goes to nobody but the person (``ErrorPage``)."""
        return self.html("error.html", language, code=code, description=description).encode()

    def form_post_page(self, action: str, fields: Mapping[str, str], language: Language) -> Page:
        """The page that posts an authorization response (``Interactions.form_post_page``).

        Browsers hold ``form-action`` against what the relying party then redirects to, so the
        policy names the scheme: where its own page leads is not ours to limit.
        """
        html = self.html(
            "form_post.html",
            language,
            action=action,
            fields=fields,
            host=host_of(action),
            script=_POST_THE_FORM,
        )
        target = "https:" if action.startswith("https://") else form_source(action)
        policy = (
            f"default-src 'none'; style-src 'self'; script-src 'sha256-{_ITS_HASH}'; "
            f"img-src 'self'; base-uri 'none'; form-action {target}; frame-ancestors 'none'"
        )
        return Page(html.encode(), policy)


def page_response(
    html: str,
    status: int = 200,
    *,
    form_target: str | None = None,
    headers: Mapping[str, str] | None = None,
    cookies: tuple[str, ...] = (),
) -> Response:
    """A page that is never stored, framed or referred from; ``form_target`` as in ``policy``."""
    response = HTMLResponse(html, status)
    response.headers.update(
        {
            "cache-control": "no-store",
            "content-security-policy": policy(form_target),
            "x-frame-options": "DENY",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            **(headers or {}),
        }
    )
    _add_cookies(response, cookies)
    return response


def policy(form_target: str | None = None) -> str:
    """The content security policy of a page.

    ``form_target`` is the redirect URI that a form of the page may lead to in the end: browsers
    hold ``form-action`` against the redirects too.
    """
    actions = "'self'" if form_target is None else f"'self' {form_source(form_target)}"
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"form-action {actions}; frame-ancestors 'none'"
    )


def redirect_response(location: str, cookies: tuple[str, ...] = ()) -> Response:
    """Elsewhere by 303: the browser must not repeat the form there (RFC 9700 4.12)."""
    headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
    response = RedirectResponse(location, 303, headers)
    _add_cookies(response, cookies)
    return response


def form_source(uri: str) -> str:
    """What a content security policy calls the target: its origin, else its scheme."""
    parts = urlsplit(uri)
    origin = f"{parts.scheme}://{parts.netloc}"
    if _ORIGIN.fullmatch(origin):
        return origin
    # An IPv6 literal or a native application's scheme: policies have no name for these.
    return f"{parts.scheme}:" if _SCHEME.fullmatch(parts.scheme) else "'self'"


def static_files() -> StaticFiles:
    """The style sheet, to be mounted at ``<issuer path>/static``; cached for a day."""
    return _CachedFiles(directory=STATIC_FOLDER)


class _CachedFiles(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code in (200, 304):
            response.headers["cache-control"] = f"public, max-age={_STATIC_SECONDS}"
            response.headers["x-content-type-options"] = "nosniff"
        return response


def _add_cookies(response: Response, cookies: tuple[str, ...]) -> None:
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
