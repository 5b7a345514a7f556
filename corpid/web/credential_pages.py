"""/account/credentials: what was issued for a business, and stopping one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from starlette.responses import Response

from corpid.domain.credential import Credential, CredentialChange, Standing
from corpid.domain.credential_management import Act, held_by_operator
from corpid.domain.errors import IllegalTransition, NotAllowed, NotFound
from corpid.services.credential_catalogue import TYPES
from corpid.services.credential_desk import CredentialFile
from corpid.web.credential_wording import credential_view, happened, type_name
from corpid.web.forms import cookies_of
from corpid.web.portal import CREDENTIALS, Portal, PortalParts, Visit
from corpid.web.rendering import redirect_response
from corpid.web.translations import Texts
from corpid.web.wording import tagged

MAX_REASON: Final = 200
"""Characters."""
MAX_HISTORY: Final = 100
"""Changes that a page tells of, the latest."""
_WALLET: Final = "wallet"
_REACHES: Final = ("credential", _WALLET)
"""How far a revocation goes: this credential, or all that its wallet has with it."""
_RECENT: Final = (Act.RESUME, Act.REVOKE)
"""Acts for which one must have signed in a short while ago; stopping something is never delayed."""
E = TypeVar("E", Standing, Act)


def build_credentials_router(parts: PortalParts) -> APIRouter:
    """GET the lists and pages, GET and POST what may be done to one."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse, prefix=CREDENTIALS)
    pages = CredentialPages(parts)

    @router.get("", summary="For which business to see credentials")
    async def choose(request: Request) -> Response:
        return await pages.choose(request)

    @router.get("/{business}", summary="The credentials of a business")
    async def listed(
        request: Request,
        business: str,
        state: str = "",
        kind: Annotated[str, Query(alias="type")] = "",
        after: str = "",
    ) -> Response:
        return await pages.listed(request, business, state, kind, after)

    @router.get("/{business}/{credential}", summary="One credential with its history")
    async def show(request: Request, business: str, credential: str) -> Response:
        return await pages.show(request, business, credential)

    @router.get("/{business}/{credential}/{act}", summary="Ask before something is done to it")
    async def ask(request: Request, business: str, credential: str, act: str) -> Response:
        return await pages.ask(request, business, credential, act)

    @router.post("/{business}/{credential}/{act}", summary="Suspend, resume or revoke it")
    async def do(request: Request, business: str, credential: str, act: str) -> Response:
        return await pages.do(request, business, credential, act)

    return router


class CredentialPages:
    """Shows lists, single credentials, and the question before each act."""

    def __init__(self, parts: PortalParts) -> None:
        self._portal = Portal(parts)
        self._desk = parts.credentials
        self._people = parts.pages.store.read.people

    async def choose(self, request: Request) -> Response:
        """The only business, or the question which."""
        portal = self._portal
        guest = await portal.enter(request)
        if isinstance(guest, Response):
            return guest
        found = await portal.parts.representatives.of(guest.person.person_id)
        if len(found) == 1:
            return redirect_response(f"{portal.base}{CREDENTIALS}/{found[0].handle}")
        views = [portal.business_view(one, guest.language) for one in found]
        return portal.page(guest, "businesses.html", CREDENTIALS, businesses=views)

    async def listed(
        self, request: Request, handle: str, state: str, kind: str, after: str
    ) -> Response:
        """One page of the list."""
        visit = await self._portal.visit(request, handle)
        if isinstance(visit, Response):
            return visit
        standing = _named(Standing, state)
        chosen = kind if kind in TYPES else None
        page = await self._desk.page(visit.business, standing, chosen, after)
        here = _List(f"{CREDENTIALS}/{handle}", standing, chosen)
        return self._portal.page(
            visit.guest,
            "credentials.html",
            here.address(after=after),
            visit.business,
            credentials=[await self._view(one, visit) for one in page.credentials],
            states=here.states(visit.texts, self._portal.base),
            types=here.types(visit.texts, self._portal.base),
            older=page.next and self._portal.base + here.address(after=page.next),
            newest=self._portal.base + here.address() if after else None,
            everybody=visit.business.manager,
        )

    async def show(self, request: Request, handle: str, credential_id: str) -> Response:
        """One credential."""
        found = await self._found(request, handle, credential_id)
        if isinstance(found, Response):
            return found
        visit, file = found
        path = self._path(visit, file.credential)
        return self._portal.page(
            visit.guest,
            "credential.html",
            path,
            visit.business,
            credential=await self._view(file.credential, visit),
            in_wallet=file.in_wallet,
            held_by_operator=held_by_operator(file.credential, file.history),
            history=[await self._told(one, visit) for one in file.history[-MAX_HISTORY:]],
            acts=[(one.value, f"{self._portal.base}{path}/{one}") for one in file.acts],
        )

    async def ask(self, request: Request, handle: str, credential_id: str, name: str) -> Response:
        """The question before an act."""
        found = await self._asked(request, handle, credential_id, name)
        if isinstance(found, Response):
            return found
        visit, file, act = found
        place = self._place(visit, file, act)
        if act in _RECENT and self._portal.must_sign_in_again(visit.guest):
            return self._portal.sign_in_again(place)
        typed = self._portal.drafts.of(cookies_of(request), place)
        return await self._question(visit, file, act, typed, {})

    async def do(self, request: Request, handle: str, credential_id: str, name: str) -> Response:
        """The act; afterwards the credential's page says what it came to be."""
        found = await self._asked(request, handle, credential_id, name)
        if isinstance(found, Response):
            return found
        visit, file, act = found
        form = await self._portal.form(request, visit.guest)
        if isinstance(form, Response):
            return form
        reason = form.get("reason", "").strip()
        if len(reason) > MAX_REASON or not reason.isprintable():
            wrong = {"reason": visit.texts("act.reason_wrong", number=MAX_REASON)}
            return await self._question(visit, file, act, form, wrong)
        wallet = form.get("reach") == _WALLET
        if act in _RECENT and self._portal.must_sign_in_again(visit.guest):
            typed = {"reason": reason, "reach": _REACHES[wallet]}
            return self._portal.sign_in_again(self._place(visit, file, act), typed)
        try:
            await self._desk.act(visit.business, credential_id, act, reason, wallet=wallet)
        except (NotAllowed, IllegalTransition, NotFound):
            return self._changed(request, visit, file.credential)
        return redirect_response(self._portal.base + self._path(visit, file.credential))

    async def _question(
        self,
        visit: Visit,
        file: CredentialFile,
        act: Act,
        typed: Mapping[str, str] | None,
        errors: Mapping[str, Any],
    ) -> Response:
        path = self._path(visit, file.credential)
        cookies = () if typed is None or errors else (self._portal.drafts.forget(),)
        typed = typed or {}
        return self._portal.page(
            visit.guest,
            "credential_act.html",
            f"{path}/{act}",
            visit.business,
            status=400 if errors else 200,
            cookies=cookies,
            credential=await self._view(file.credential, visit),
            act=act.value,
            action=f"{self._portal.base}{path}/{act}",
            reason=typed.get("reason", "").strip()[:MAX_REASON],
            reaches=_REACHES if act is Act.REVOKE else (),
            reach=_REACHES[typed.get("reach") == _WALLET],
            errors=errors,
        )

    async def _found(
        self, request: Request, handle: str, credential_id: str
    ) -> tuple[Visit, CredentialFile] | Response:
        visit = await self._portal.visit(request, handle)
        if isinstance(visit, Response):
            return visit
        try:
            return visit, await self._desk.file(visit.business, credential_id)
        except NotFound:
            return self._portal.unknown(request)

    async def _asked(
        self, request: Request, handle: str, credential_id: str, name: str
    ) -> tuple[Visit, CredentialFile, Act] | Response:
        found = await self._found(request, handle, credential_id)
        if isinstance(found, Response):
            return found
        visit, file = found
        act = _named(Act, name)
        if act is None:
            return self._portal.unknown(request)
        if act not in file.acts:
            return self._changed(request, visit, file.credential)
        return visit, file, act

    def _changed(self, request: Request, visit: Visit, credential: Credential) -> Response:
        back = self._portal.base + self._path(visit, credential)
        return self._portal.notice(request, "changed", 409, back)

    def _place(self, visit: Visit, file: CredentialFile, act: Act) -> str:
        return f"{visit.business.handle}/{file.credential.credential_id}/{act}"

    def _path(self, visit: Visit, credential: Credential) -> str:
        return f"{CREDENTIALS}/{visit.business.handle}/{credential.credential_id}"

    async def _view(self, credential: Credential, visit: Visit) -> dict[str, Any]:
        """A credential in words; whose it is, where that is somebody else."""
        holder = None
        if credential.person_id != visit.business.person_id:
            holder = await self._name(credential.person_id, visit)
        view = credential_view(credential, visit.texts, self._desk.now_ms())
        return {**view, "holder": holder, "path": self._portal.base + self._path(visit, credential)}

    async def _told(self, change: CredentialChange, visit: Visit) -> dict[str, Any]:
        """One line of a history. What an operator wrote down is for operators."""
        who = await self._name(change.actor, visit) if change.actor else None
        return happened(change, visit.texts, who, mine=change.actor == visit.business.person_id)

    async def _name(self, person_id: str, visit: Visit) -> Markup | None:
        person = await self._people.by_id(person_id)
        return None if person is None else tagged(person.names, visit.guest.language)


@dataclass(frozen=True, slots=True)
class _List:
    """The address of a list, as it is filtered."""

    path: str
    state: Standing | None
    kind: str | None

    def address(self, **more: str) -> str:
        """Of one of its pages, ``after`` some credential or from the start."""
        given = {"state": self.state, "type": self.kind, **more}
        query = urlencode({name: str(value) for name, value in given.items() if value})
        return f"{self.path}?{query}" if query else self.path

    def states(self, texts: Texts, base: str) -> list[tuple[str, str, bool]]:
        """The words, address and choice of each filter by state."""
        return [
            (
                texts(f"standing.{one or 'all'}"),
                base + replace(self, state=one).address(),
                one is self.state,
            )
            for one in (None, *Standing)
        ]

    def types(self, texts: Texts, base: str) -> list[tuple[str, str, bool]]:
        """The same by type."""
        return [
            (type_name(one, texts), base + replace(self, kind=one).address(), one == self.kind)
            for one in (None, *TYPES)
        ]


def _named(kind: type[E], value: str) -> E | None:
    return kind(value) if value in set(kind) else None
