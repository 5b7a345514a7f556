"""The pages of signing in: which business, and may the client know. Plain forms, no script.

Every page of an interaction lives at one address, /interaction/{id}: GET shows the next step,
POST does it and goes on by 303. Nothing is kept between two requests but what is in the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from corpid.domain.errors import NotAllowed
from corpid.domain.languages import Language
from corpid.services.guessing import Visitor
from corpid.services.interaction_steps import (
    ApprovedStep,
    BlockedStep,
    CodeStep,
    ConfirmStep,
    ConsentStep,
    OrganisationStep,
    SignInStep,
    Step,
)
from corpid.services.interactions import BrowserInteractions
from corpid.services.ports import Store
from corpid.services.records import Session
from corpid.services.session_list import SessionList
from corpid.services.sessions import Sessions
from corpid.services.sign_in import SessionGone, SignIn, TooManyTries, WrongCredentials
from corpid.services.waiting_interactions import InteractionGone, Waiting
from corpid.web.client_address import Network, visitor_of
from corpid.web.forms import accepted_languages, cookies_of, read_form
from corpid.web.polled_ends import PolledEnds
from corpid.web.rendering import Renderer, page_response, redirect_response
from corpid.web.step_pages import StepPages
from corpid.web.translations import Texts
from corpid.web.wording import (
    client_name,
    tagged,
    wait_text,
)
from oidc.errors import (
    AccessDenied,
    InvalidRequestUri,
    OAuthError,
    TemporarilyUnavailable,
    UnmetAuthenticationRequirements,
)
from oidc.ports import Approval
from oidc.provider.authorization_response import AuthorizationResponse
from oidc.provider.authorize import AuthorizeEndpoint

STEP_NAMES: Final[dict[type[Step], str]] = {
    ConfirmStep: "confirm",
    SignInStep: "sign-in",
    CodeStep: "code",
    OrganisationStep: "organisation",
    ConsentStep: "consent",
    BlockedStep: "blocked",
}


@dataclass(frozen=True, slots=True)
class PageParts:
    """What the pages are made of."""

    store: Store
    interactions: BrowserInteractions
    sessions: Sessions
    sign_in: SignIn
    authorize: AuthorizeEndpoint
    polled: PolledEnds
    renderer: Renderer
    session_list: SessionList
    proxies: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request of a browser to its interaction."""

    waiting: Waiting
    session: Session | None
    language: Language
    step: Step
    visitor: Visitor


def build_interaction_router(parts: PageParts) -> APIRouter:
    """GET and POST /interaction/{interaction_id}."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
    pages = InteractionPages(parts)

    @router.get("/interaction/{interaction_id}", summary="The next step of a sign-in")
    async def show(request: Request, interaction_id: str) -> Response:
        return await pages.answer(request, interaction_id)

    @router.post("/interaction/{interaction_id}", summary="Do the next step of a sign-in")
    async def do(request: Request, interaction_id: str) -> Response:
        return await pages.answer(request, interaction_id)

    return router


class InteractionPages:
    """Shows and does the steps of an interaction."""

    def __init__(self, parts: PageParts) -> None:
        self._parts = parts

    async def answer(self, request: Request, interaction_id: str) -> Response:
        """One request."""
        parts = self._parts
        languages = accepted_languages(request)
        language = parts.interactions.language(cookies_of(request), (), languages)
        try:
            waiting = await parts.interactions.find(interaction_id, cookies_of(request))
            locales = waiting.request.ui_locales
            language = parts.interactions.language(cookies_of(request), locales, languages)
            session = await parts.sessions.current(cookies_of(request))
            form = await read_form(request) if request.method == "POST" else None
            visitor = visitor_of(request, parts.sessions.cookies, parts.proxies)
            return await self._visit(waiting, session, language, form, visitor)
        except InteractionGone:
            html = parts.renderer.html("notice.html", language, notice="gone")
            return page_response(html, 410)
        except TemporarilyUnavailable as error:
            html = parts.renderer.html("notice.html", language, notice="busy")
            return page_response(html, error.status, headers=error.headers)
        except OAuthError as error:
            # From here no client is known to be waiting for this error: it is the person's.
            page = parts.renderer.error_page(error.code, error.description, language)
            return page_response(page.decode(), error.status)

    async def _visit(
        self,
        waiting: Waiting,
        session: Session | None,
        language: Language,
        form: Mapping[str, str] | None,
        visitor: Visitor,
    ) -> Response:
        interactions = self._parts.interactions
        try:
            step = await interactions.step(waiting, session)
        except OAuthError as error:
            return await self._refuse(waiting, language, error, _who(session))
        visit = _Visit(waiting, session, language, step, visitor)
        if form is None:
            return await self._show_or_finish(visit)
        if not interactions.is_csrf(waiting, form.get("csrf", "")):
            html = self._parts.renderer.html("notice.html", language, notice="forged")
            return page_response(html, 403)
        if form.get("action") in {"cancel", "deny"}:
            return await self._refuse(waiting, language, _refusal(step), _who(session))
        if form.get("step") != STEP_NAMES.get(type(step)):
            return self._go_on(waiting)  # another window was quicker: show what comes now
        return await self._do(visit, form)

    async def _do(self, visit: _Visit, form: Mapping[str, str]) -> Response:
        step = visit.step
        if isinstance(step, ConfirmStep):
            confirmed = await self._parts.interactions.confirm_code(visit.waiting)
            return await self._advance(confirmed, visit.language, visit.session)
        if isinstance(step, SignInStep):
            return await self._sign_in(visit, form)
        if isinstance(step, CodeStep):
            return await self._give_code(visit, form)
        if isinstance(step, OrganisationStep):
            return await self._choose(visit, step, form)
        if isinstance(step, ConsentStep):
            return await self._agree(visit, step, form)
        return await self._show_or_finish(visit)

    async def _sign_in(self, visit: _Visit, form: Mapping[str, str]) -> Response:
        texts = Texts(visit.language)
        username, password = form.get("username", ""), form.get("password", "")
        missing = {
            name: texts(f"sign_in.{name}_missing")
            for name, value in (("username", username.strip()), ("password", password))
            if not value
        }
        if missing:
            return await self._show(visit, missing, typed=username, status=400)
        try:
            session, cookie = await self._parts.sign_in.with_password(
                username, password, visit.session, visitor=visit.visitor
            )
        except WrongCredentials:
            wrong = {"username": texts("sign_in.wrong")}
            return await self._show(visit, wrong, typed=username, status=400)
        except TooManyTries as error:
            return await self._show_wait(visit, "username", error, username)
        waiting = await self._parts.interactions.signed_in(visit.waiting, session)
        known = await self._parts.sign_in.remember(session, visit.visitor)
        return await self._advance(waiting, visit.language, session, (cookie, *known))

    async def _give_code(self, visit: _Visit, form: Mapping[str, str]) -> Response:
        texts = Texts(visit.language)
        code = form.get("otp", "")
        session = visit.session
        assert session is not None  # a code is only asked of somebody who is signed in
        if not code.strip():
            return await self._show(visit, {"otp": texts("code.missing")}, status=400)
        try:
            stronger, cookie = await self._parts.sign_in.with_code(
                session, code, visitor=visit.visitor
            )
        except SessionGone:
            return self._go_on(visit.waiting)
        except WrongCredentials:
            return await self._show(
                visit, {"otp": texts("code.wrong")}, typed=code[:12], status=400
            )
        except TooManyTries as error:
            return await self._show_wait(visit, "otp", error, code[:12])
        known = await self._parts.sign_in.remember(stronger, visit.visitor)
        return await self._advance(visit.waiting, visit.language, stronger, (cookie, *known))

    async def _choose(
        self, visit: _Visit, step: OrganisationStep, form: Mapping[str, str]
    ) -> Response:
        number = form.get("organisation")
        texts = Texts(visit.language)
        if number is None:
            missing = {"organisation": texts("organisation.missing")}
            return await self._show(visit, missing, status=400)
        try:
            waiting = await self._parts.interactions.choose(visit.waiting, step, number)
        except NotAllowed:
            gone = {"organisation": texts("organisation.gone")}
            return await self._show(visit, gone, status=400)
        return await self._advance(waiting, visit.language, visit.session)

    async def _agree(self, visit: _Visit, step: ConsentStep, form: Mapping[str, str]) -> Response:
        seen = self._parts.interactions.seen(visit.waiting, step.approval)
        if form.get("action") != "approve" or form.get("seen") != seen:
            changed = {"consent": Texts(visit.language)("consent.changed")}
            return await self._show(visit, changed, status=409)
        return await self._complete(visit.waiting, visit.language, step.approval, consented=True)

    async def _advance(
        self,
        waiting: Waiting,
        language: Language,
        session: Session | None,
        cookies: tuple[str, ...] = (),
    ) -> Response:
        """After a step: finish at once, or show the next page."""
        try:
            step = await self._parts.interactions.step(waiting, session)
        except OAuthError as error:
            return await self._refuse(waiting, language, error, _who(session), cookies)
        if isinstance(step, ApprovedStep):
            return await self._complete(
                waiting, language, step.approval, consented=False, cookies=cookies
            )
        return self._go_on(waiting, cookies)

    async def _show_or_finish(self, visit: _Visit) -> Response:
        if isinstance(visit.step, ApprovedStep):
            return await self._complete(
                visit.waiting, visit.language, visit.step.approval, consented=False
            )
        return await self._show(visit, {})

    async def _complete(
        self,
        waiting: Waiting,
        language: Language,
        approval: Approval,
        *,
        consented: bool,
        cookies: tuple[str, ...] = (),
    ) -> Response:
        parts = self._parts
        if waiting.polled is not None:
            return await parts.polled.complete(waiting, approval, cookies)
        try:
            completion = await parts.authorize.prepare(waiting.request, approval)
            await parts.interactions.finish(waiting, approval, completion.work, consented=consented)
        except InvalidRequestUri:
            raise  # another interaction of the same pushed request was finished: for the person
        except OAuthError as error:
            return await self._refuse(waiting, language, error, approval.actor, cookies)
        return self._leave(completion.response, language, cookies)

    async def _refuse(
        self,
        waiting: Waiting,
        language: Language,
        error: OAuthError,
        person_id: str | None,
        cookies: tuple[str, ...] = (),
    ) -> Response:
        if waiting.polled is not None:
            return await self._parts.polled.refuse(waiting, person_id, cookies)
        await self._parts.interactions.abandon(waiting, person_id)
        response = await self._parts.authorize.refuse(waiting.request, error)
        return self._leave(response, language, cookies)

    def _leave(
        self, response: AuthorizationResponse, language: Language, cookies: tuple[str, ...]
    ) -> Response:
        """To the relying party, in the way that it asked for."""
        if response.fields is None:
            return redirect_response(response.location, cookies)
        page = self._parts.renderer.form_post_page(response.location, response.fields, language)
        headers = {"content-security-policy": page.content_security_policy}
        return page_response(page.body.decode(), headers=headers, cookies=cookies)

    def _go_on(self, waiting: Waiting, cookies: tuple[str, ...] = ()) -> Response:
        return redirect_response(self._path(waiting), cookies)

    def _path(self, waiting: Waiting) -> str:
        return f"{self._parts.renderer.base}/interaction/{waiting.interaction_id}"

    async def _show_wait(
        self, visit: _Visit, field: str, error: TooManyTries, typed: str
    ) -> Response:
        message = wait_text(Texts(visit.language), error.seconds, known=error.known)
        headers = {"retry-after": str(error.seconds)}
        return await self._show(visit, {field: message}, typed=typed, status=429, headers=headers)

    async def _show(
        self,
        visit: _Visit,
        errors: Mapping[str, Any],
        *,
        typed: str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The page of the present step."""
        template, values = await StepPages(self._parts.store, self._parts.interactions).page(
            visit.waiting, visit.step, visit.language, typed
        )
        html = self._parts.renderer.html(
            template,
            visit.language,
            back=self._path(visit.waiting),
            form=self._form(visit),
            errors=errors,
            **values,
        )
        return page_response(
            html, status, form_target=visit.waiting.request.redirect_uri, headers=headers
        )

    def _form(self, visit: _Visit) -> dict[str, Any]:
        """What every page of an interaction has: its form's address and secrets, and who is who."""
        session, step = visit.session, visit.step
        nobody_yet = SignInStep | ConfirmStep | ApprovedStep
        person = None if isinstance(step, nobody_yet) else step.person
        csrf = self._parts.interactions.session_csrf(session) if session else ""
        return {
            "action": self._path(visit.waiting),
            "csrf": visit.waiting.csrf,
            "step": STEP_NAMES[type(step)],
            "interaction_id": visit.waiting.interaction_id,
            "client": client_name(visit.waiting.request.client, visit.language),
            "person": None if person is None else tagged(person.names, visit.language),
            "session_csrf": csrf,
            "cancel": not isinstance(step, ConsentStep | BlockedStep),
            "polled": visit.waiting.polled is not None,
        }


def _who(session: Session | None) -> str | None:
    return None if session is None else session.person_id


def _refusal(step: Step) -> OAuthError:
    """What the client is told when the person goes back without having finished."""
    if isinstance(step, BlockedStep) and step.reason == "too_weak":
        return UnmetAuthenticationRequirements("this person cannot sign in as surely as demanded")
    return AccessDenied("the person refused")
