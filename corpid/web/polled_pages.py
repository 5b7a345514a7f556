"""What the pages of devices and of services elsewhere have in common: the way in, and the end."""

from starlette.requests import Request
from starlette.responses import Response

from corpid.domain.languages import Language
from corpid.services.polled_interactions import Polled
from corpid.services.waiting_interactions import InteractionGone
from corpid.web.forms import accepted_languages, cookies_of
from corpid.web.pages import PageParts
from corpid.web.rendering import page_response, redirect_response
from oidc.errors import TooManyRequests


async def begun(parts: PageParts, polled: Polled, request: Request, language: Language) -> Response:
    """On to the pages of that request, or why there are none."""
    try:
        begun = await parts.interactions.begin_polled(polled, cookies_of(request))
    except InteractionGone:
        return page_response(parts.renderer.html("notice.html", language, notice="gone"), 410)
    except TooManyRequests as error:
        html = parts.renderer.html("notice.html", language, notice="busy")
        return page_response(html, error.status, headers=error.headers)
    return redirect_response(begun.location, begun.cookies)


def ended(parts: PageParts, request: Request, notice: str, path: str) -> Response:
    """The page at ``path`` that says how it ended."""
    html = parts.renderer.html(
        "notice.html", language_of(parts, request), back=parts.renderer.base + path, notice=notice
    )
    return page_response(html)


def language_of(parts: PageParts, request: Request) -> Language:
    """The language of a page that no client asked for."""
    return parts.interactions.language(cookies_of(request), (), accepted_languages(request))
