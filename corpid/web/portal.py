"""Who comes to the pages about a business's credentials, for which business, and what guards them.

Every page belongs to a sign-in with a password and a one-time code. A business is named by a handle
that stands for it on this person's pages alone: what is somebody else's is as if it did not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from corpid.domain.errors import NotFound
from corpid.domain.languages import Language
from corpid.domain.organisation import Organisation
from corpid.domain.person import Assurance, Person
from corpid.services.credential_desk import CredentialDesk
from corpid.services.offer_desk import OfferDesk
from corpid.services.records import Session
from corpid.services.representatives import Representatives, Represented
from corpid.web.drafts import Drafts
from corpid.web.forms import cookies_of, read_form
from corpid.web.pages import PageParts
from corpid.web.polled_pages import language_of
from corpid.web.rendering import page_response, redirect_response
from corpid.web.translations import Texts
from corpid.web.wording import number_text, tagged
from oidc.errors import OAuthError

CREDENTIALS: Final = "/account/credentials"
OFFERS: Final = "/account/offers"
LEAST: Final = Assurance.LOA2
"""As surely as credentials are issued."""
ACT: Final = "act"
"""What an act on a credential is called, where one signs in once more for it."""
_SIGN_IN: Final = "/sign-in?to=credentials"


@dataclass(frozen=True, slots=True)
class PortalParts:
    """What these pages are made of."""

    pages: PageParts
    representatives: Representatives
    credentials: CredentialDesk
    offers: OfferDesk


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who is signed in surely enough."""

    session: Session
    person: Person
    language: Language


@dataclass(frozen=True, slots=True)
class Visit:
    """Such a person, acting for one business."""

    guest: Guest
    business: Represented

    @property
    def texts(self) -> Texts:
        """The texts in the reader's language."""
        return Texts(self.guest.language)


class Portal:
    """Lets people in, reads their forms, and frames their pages."""

    def __init__(self, parts: PortalParts) -> None:
        self.parts = parts
        self._pages = parts.pages
        self.base = parts.pages.renderer.base
        self.drafts = Drafts(parts.pages.sessions.cookies)

    async def enter(self, request: Request) -> Guest | Response:
        """Who it is, or where they have to go first."""
        pages = self._pages
        session = await pages.sessions.current(cookies_of(request))
        person = None
        if session is not None:
            person = await pages.store.read.people.by_id(session.person_id)
        if session is None or person is None or person.closed_at is not None:
            return redirect_response(self.base + _SIGN_IN)
        if session.assurance.meets(LEAST):
            return Guest(session, person, language_of(pages, request))
        if await pages.sign_in.has_code(person.person_id):
            return redirect_response(self.base + _SIGN_IN)
        return self.notice(request, "weak", 403)

    async def visit(self, request: Request, handle: str) -> Visit | Response:
        """The same, and for which business."""
        guest = await self.enter(request)
        if isinstance(guest, Response):
            return guest
        try:
            business = await self.parts.representatives.find(guest.person.person_id, handle)
        except NotFound:
            return self.unknown(request)
        return Visit(guest, business)

    def must_sign_in_again(self, guest: Guest) -> bool:
        """Whether the last sign-in is too long ago for what cannot be undone."""
        return not self._pages.sessions.is_recent(guest.session)

    def sign_in_again(self, place: str, typed: Mapping[str, str] | None = None) -> Response:
        """Sign in once more, and come back to an act on a credential, with what was typed there.

        ``place`` is its address under the credentials' pages.
        """
        cookies = () if typed is None else (self.drafts.keep(place, typed),)
        return redirect_response(f"{self.base}/sign-in?to={ACT}&at={place}", cookies)

    async def form(self, request: Request, guest: Guest) -> Mapping[str, str] | Response:
        """The fields of a form of ours, or why they do not count."""
        try:
            form = await read_form(request)
        except OAuthError as error:
            page = self._pages.renderer.error_page(error.code, error.description, guest.language)
            return page_response(page.decode(), error.status)
        if not self._pages.interactions.is_session_csrf(guest.session, form.get("csrf", "")):
            return self.notice(request, "forged", 403)
        return form

    def notice(self, request: Request, name: str, status: int, link: str | None = None) -> Response:
        """A page that only says something, with a link to where one goes on."""
        language = language_of(self._pages, request)
        html = self._pages.renderer.html("notice.html", language, notice=name, link=link)
        return page_response(html, status)

    def unknown(self, request: Request) -> Response:
        """There is no such thing, or it is somebody else's: nobody can tell which."""
        return self.notice(request, "unknown", 404, self.base + CREDENTIALS)

    def page(
        self,
        guest: Guest,
        template: str,
        back: str,
        business: Represented | None = None,
        *,
        status: int = 200,
        cookies: tuple[str, ...] = (),
        **values: Any,
    ) -> Response:
        """A page; ``back`` is the path that the language links return to."""
        html = self._pages.renderer.html(
            template,
            guest.language,
            back=self.base + back,
            csrf=self._pages.interactions.session_csrf(guest.session),
            person=tagged(guest.person.names, guest.language),
            business=None if business is None else self.business_view(business, guest.language),
            **values,
        )
        return page_response(html, status, cookies=cookies)

    def business_view(self, business: Represented, language: Language) -> dict[str, Any]:
        """A business on a page: its name, its number, and where its pages are."""
        organisation: Organisation = business.organisation
        return {
            "name": tagged(organisation.registration.names, language),
            "number": number_text(Texts(language), organisation),
            "credentials": f"{self.base}{CREDENTIALS}/{business.handle}",
            "offers": f"{self.base}{OFFERS}/{business.handle}",
        }
