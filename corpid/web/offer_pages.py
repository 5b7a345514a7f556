"""/account/offers: a representative fetches a credential into a wallet, by an offer made here."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape
from starlette.responses import Response

from corpid.domain.errors import InvalidValue, NotAllowed, NotFound
from corpid.services.credential_catalogue import type_of_configuration
from corpid.services.offer_desk import Choice, OfferFile, TooManyOffers
from corpid.services.records import BY_SIGN_IN
from corpid.web.credential_wording import format_name, type_name
from corpid.web.portal import CREDENTIALS, OFFERS, Portal, PortalParts, Visit
from corpid.web.qr import qr_code
from corpid.web.rendering import redirect_response
from corpid.web.translations import Texts
from corpid.web.wording import moment, tagged

_FIELDS: Final = ("credential", "format", "grant")


def build_offers_router(parts: PortalParts) -> APIRouter:
    """GET and POST what may be offered, GET and POST one offer."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse, prefix=OFFERS)
    pages = OfferPages(parts)

    @router.get("/{business}", summary="Which credentials a person may fetch")
    async def choices(request: Request, business: str) -> Response:
        return await pages.choices(request, business)

    @router.post("/{business}", summary="Make an offer for the person's own wallet")
    async def make(request: Request, business: str) -> Response:
        return await pages.make(request, business)

    @router.get("/{business}/{offer}", summary="An offer, and what became of it")
    async def show(request: Request, business: str, offer: str) -> Response:
        return await pages.show(request, business, offer)

    @router.post("/{business}/{offer}", summary="Withdraw an offer that nobody took")
    async def withdraw(request: Request, business: str, offer: str) -> Response:
        return await pages.withdraw(request, business, offer)

    return router


class OfferPages:
    """Makes, shows and withdraws offers to the person who is signed in."""

    def __init__(self, parts: PortalParts) -> None:
        self._portal = Portal(parts)
        self._desk = parts.offers

    async def choices(self, request: Request, handle: str) -> Response:
        """The form."""
        visit = await self._portal.visit(request, handle)
        if isinstance(visit, Response):
            return visit
        return await self._form(visit, {}, {})

    async def make(self, request: Request, handle: str) -> Response:
        """The offer's transaction code, which is shown this once and apart from the offer."""
        visit = await self._portal.visit(request, handle)
        if isinstance(visit, Response):
            return visit
        form = await self._portal.form(request, visit.guest)
        if isinstance(form, Response):
            return form
        return await self._made(visit, form)

    async def _made(self, visit: Visit, form: Mapping[str, str]) -> Response:
        missing = {
            name: visit.texts(f"offers.{name}_missing") for name in _FIELDS if not form.get(name)
        }
        if missing:
            return await self._form(visit, form, missing)
        kind, _, branch = form["credential"].partition("/")
        try:
            made, handle = await self._desk.make(
                visit.business,
                visit.guest.session.assurance,
                kind,
                form["format"],
                form["grant"],
                branch or None,
                str(visit.texts("offer.description")),
            )
        except (TooManyOffers, NotAllowed, InvalidValue) as error:
            return await self._form(visit, form, _problem(visit, error))
        path = f"{OFFERS}/{visit.business.handle}"
        if made.transaction_code is None:
            return redirect_response(f"{self._portal.base}{path}/{handle}")
        return self._portal.page(
            visit.guest,
            "offer_made.html",
            path,
            visit.business,
            code=made.transaction_code,
            path=f"{self._portal.base}{path}/{handle}",
        )

    async def show(self, request: Request, handle: str, offer: str) -> Response:
        """The QR code and the links while it waits; what became of it afterwards."""
        found = await self._found(request, handle, offer)
        if isinstance(found, Response):
            return found
        visit, file = found
        links = [
            (visit.texts(f"offer.link_{one}"), address) for one, address in self._desk.links(file)
        ]
        return self._portal.page(
            visit.guest,
            "offer.html",
            f"{OFFERS}/{handle}/{offer}",
            visit.business,
            offer=self._view(file, visit),
            qr=qr_code(links[0][1]) if links else None,
            links=links,
            by_sign_in=BY_SIGN_IN in file.offer.grants,
            credentials=f"{self._portal.base}{CREDENTIALS}/{handle}",
        )

    async def withdraw(self, request: Request, handle: str, offer: str) -> Response:
        """End it; the page then says what became of it, also where a wallet was quicker."""
        found = await self._found(request, handle, offer)
        if isinstance(found, Response):
            return found
        visit, file = found
        form = await self._portal.form(request, visit.guest)
        if isinstance(form, Response):
            return form
        await self._desk.withdraw(visit.business, file)
        return redirect_response(f"{self._portal.base}{OFFERS}/{handle}/{offer}")

    async def _found(
        self, request: Request, handle: str, offer: str
    ) -> tuple[Visit, OfferFile] | Response:
        visit = await self._portal.visit(request, handle)
        if isinstance(visit, Response):
            return visit
        try:
            return visit, await self._desk.find(visit.business, offer)
        except NotFound:
            return self._portal.unknown(request)

    async def _form(
        self, visit: Visit, typed: Mapping[str, str], errors: Mapping[str, Any]
    ) -> Response:
        choices = await self._desk.choices(visit.business, visit.guest.session.assurance)
        recent = await self._desk.recent(visit.business)
        texts = visit.texts
        path = f"{OFFERS}/{visit.business.handle}"
        return self._portal.page(
            visit.guest,
            "offers.html",
            path,
            visit.business,
            status=400 if errors else 200,
            action=self._portal.base + path,
            errors=errors,
            choices=[
                option for one in choices if not one.refused for option in _options(one, texts)
            ],
            refused=[
                (type_name(one.kind.type_id, texts), texts(f"refused.{one.refused}"))
                for one in choices
                if one.refused
            ],
            formats=[(one.name, format_name(one.name, texts)) for one in self._desk.formats],
            grants=self._desk.grants,
            typed={
                "credential": typed.get("credential", ""),
                "format": typed.get("format", self._desk.formats[0].name),
                "grant": typed.get("grant", self._desk.grants[0]),
            },
            recent=[self._view(one, visit) for one in recent],
        )

    def _view(self, file: OfferFile, visit: Visit) -> dict[str, Any]:
        """An offer in words."""
        language = visit.guest.language
        names = [_offered(one, visit.texts) for one in file.offer.credentials]
        return {
            "types": visit.texts.listed(names),
            "state": file.state.value,
            "made": moment(file.offer.created_at, language),
            "until": moment(file.offer.expires_at, language),
            "path": f"{self._portal.base}{OFFERS}/{visit.business.handle}/{file.handle}",
        }


def _problem(visit: Visit, error: Exception) -> dict[str, Any]:
    """Why no offer was made, at the field that it is about."""
    if isinstance(error, TooManyOffers):
        return {"credential": visit.texts("offers.too_many")}
    name = "grant" if isinstance(error, InvalidValue) else "credential"
    return {name: visit.texts(f"offers.{name}_wrong")}


def _options(choice: Choice, texts: Texts) -> list[dict[str, Any]]:
    """What can be chosen of a type: it, or it for each branch that it may be about."""
    kind = choice.kind
    view = {
        "value": kind.type_id,
        "name": kind.names[texts.language],
        "text": kind.descriptions[texts.language],
        "branch": None,
    }
    if not choice.branches:
        return [view]
    return [
        {
            **view,
            "value": f"{kind.type_id}/{one.code}",
            "branch": texts("offers.branch", code=one.code, name=tagged(one.names, texts.language)),
        }
        for one in choice.branches
    ]


def _offered(name: str, texts: Texts) -> Markup:
    """A credential that an offer names: its type, and the branch that it is about."""
    configuration, _, branch = name.partition("/")
    kind = type_of_configuration(configuration)
    shown = configuration if kind is None else kind.names[texts.language]
    return texts("offers.of_branch", name=shown, code=branch) if branch else escape(shown)
