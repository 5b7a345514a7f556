"""The authorization server's ``Interactions``: deciding, and the pages' part in between.

An interaction is an authorization request that waits for a person. It belongs to the browser
that began it (a cookie's keyed hash), can be finished once, and ends with a code or an error.
Whoever finishes is whoever began: a link to another's interaction leads nowhere (RFC 9700 update,
session fixation).
"""

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from corpid.domain.errors import NotAllowed
from corpid.domain.languages import Language, language_of, negotiate
from corpid.services.backchannel import tell
from corpid.services.consent import Consents
from corpid.services.interaction_steps import (
    ApprovedStep,
    ConfirmStep,
    OrganisationStep,
    Step,
    Steps,
)
from corpid.services.kept_requests import read_again
from corpid.services.known_authorities import KnownAuthorities
from corpid.services.offers import use_up
from corpid.services.polled_interactions import Polled, find_polled, kept_polled
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import Interaction, Session
from corpid.services.session_end import require_open
from corpid.services.sessions import COOKIE_VALUE, INTERACTION, LANGUAGE, Sessions
from corpid.services.silent_answers import silent_error
from corpid.services.waiting_interactions import InteractionGone, Waiting
from keys import base64url
from keys.clock import Random
from oidc.errors import AccessDenied, TooManyRequests
from oidc.ports import Approval, AuthorizationRequest, Page, ProviderWrites, Redirect
from oidc.provider.authorization_request import validate_without_redirect
from oidc.provider.context import ProviderConfig
from oidc.records import Client
from oidc.secrets import TokenHasher

INTERACTION_PATH: Final = "/interaction/"
LIFETIME_SECONDS: Final = 600
"""No longer than an expired pushed request is kept: its one use is marked when the code is made."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_ID_BYTES: Final = 32

ErrorPage = Callable[[str, str, Language], bytes]
"""Renders an error code and its description for a reader of that language (HTML)."""
FormPostPage = Callable[[str, Mapping[str, str], Language], Page]
"""Renders the page that posts fields to an address, for a reader of that language."""


class BrowserInteractions:
    """Implements ``Interactions`` of oidc's ports, and what the pages need of it."""

    def __init__(
        self,
        store: Store,
        authorities: KnownAuthorities,
        sessions: Sessions,
        steps: Steps,
        config: ProviderConfig,
        hasher: TokenHasher,
        random: Random,
        *,
        error_page: ErrorPage,
        form_post_page: FormPostPage,
    ) -> None:
        self._store = store
        self._authorities = authorities
        self._sessions = sessions
        self._steps = steps
        self._config = config
        self._hasher = hasher
        self._random = random
        self._error_page = error_page
        self._form_post_page = form_post_page

    async def decide(
        self, request: AuthorizationRequest, cookies: Mapping[str, str], accept_language: str
    ) -> Approval | Redirect:
        """See ``Interactions.decide``."""
        session = await self._sessions.current(cookies)
        step = await self._steps.next(request, session, None)
        if isinstance(step, ApprovedStep):
            return step.approval
        if "none" in request.prompt:
            raise silent_error(step)
        return await self._begin(request, cookies)

    async def confirm(
        self, approval: Approval, issue: Callable[[ProviderWrites], Awaitable[None]]
    ) -> None:
        """See ``Interactions.confirm``."""

        async def work(uow: UnitOfWork) -> None:
            await self._require_still(uow, approval)
            await issue(uow.provider_writes)

        await self._store.write(work)

    async def error_page(
        self, code: str, description: str, ui_locales: tuple[str, ...], accept_language: str
    ) -> bytes:
        """See ``Interactions.error_page``."""
        return self._error_page(code, description, negotiate(" ".join(ui_locales), accept_language))

    async def form_post_page(
        self,
        action: str,
        fields: Mapping[str, str],
        ui_locales: tuple[str, ...],
        accept_language: str,
    ) -> Page:
        """See ``Interactions.form_post_page``."""
        language = negotiate(" ".join(ui_locales), accept_language)
        return self._form_post_page(action, fields, language)

    def language(
        self, cookies: Mapping[str, str], ui_locales: tuple[str, ...], accept_language: str
    ) -> Language:
        """The language to answer in: chosen by link, asked by the client, or the browser's."""
        chosen = cookies.get(self._sessions.cookies.name(LANGUAGE), "")
        known = language_of(chosen[:20]) if chosen else None
        return known or negotiate(" ".join(ui_locales), accept_language)

    async def find(self, interaction_id: str, cookies: Mapping[str, str]) -> Waiting:
        """The interaction, if it is this browser's and still open.

        Raises:
            InteractionGone: it is not, or its client is disabled.
            OAuthError: the request is no longer allowed (the registration has changed).
        """
        binding = self.binding(cookies)
        if binding is None or _ID.fullmatch(interaction_id) is None:
            raise InteractionGone
        record = await self._store.read.sign_ins.interaction(self._hasher.hash(interaction_id))
        if (
            record is None
            or record.finished_at is not None
            or self._sessions.now_ms() >= record.expires_at
            or not hmac.compare_digest(record.binding_hash, self._hasher.hash(binding))
        ):
            raise InteractionGone
        client = await self._store.read.provider_reads.client(record.client_id)
        if client is None:
            raise InteractionGone
        kept: Mapping[str, Any] = orjson.loads(record.request)
        csrf = self._csrf(interaction_id, binding)
        if "polled" in kept:
            polled = await find_polled(self._store.read, kept, self._sessions.now_ms())
            if polled is None:
                raise InteractionGone
            request = validate_without_redirect(
                polled.record.parameters, client, self._config, signed=True
            )
            return Waiting(interaction_id, record, request, csrf, polled)
        now_ms = self._sessions.now_ms()
        request = await read_again(self._store.read, record, kept, client, self._config, now_ms)
        return Waiting(interaction_id, record, request, csrf)

    async def step(self, waiting: Waiting, session: Session | None) -> Step:
        """What the person must do next.

        Raises:
            OAuthError: the request is refused.
        """
        polled = waiting.polled
        if polled is not None and not polled.confirmed:
            return ConfirmStep(polled.user_code)
        return await self._steps.next(waiting.request, session, waiting.progress)

    async def confirm_code(self, waiting: Waiting) -> Waiting:
        """Remember that the code is the one on the person's device."""
        assert waiting.polled is not None
        confirmed = replace(waiting.polled, confirmed=True)
        record = replace(waiting.record, request=kept_polled(confirmed))

        async def work(uow: UnitOfWork) -> None:
            await uow.sign_ins.update_interaction(record)

        await self._store.write(work)
        return replace(waiting, record=record, polled=confirmed)

    async def signed_in(self, waiting: Waiting, session: Session) -> Waiting:
        """Remember who signed in; a choice of somebody else's before is forgotten."""
        return await self._update(waiting, session.person_id, None)

    async def choose(self, waiting: Waiting, step: OrganisationStep, number: str) -> Waiting:
        """Act for the organisation with that registration number.

        Raises:
            NotAllowed: it is none of the choices.
        """
        for choice in step.choices:
            if choice.organisation.number == number:
                organisation_id = choice.organisation.organisation_id
                return await self._update(waiting, step.person.person_id, organisation_id)
        raise NotAllowed("this organisation is not among those that this person may act for")

    async def finish(
        self,
        waiting: Waiting,
        approval: Approval,
        issue: Callable[[ProviderWrites], Awaitable[None]],
        *,
        consented: bool,
    ) -> None:
        """End the interaction with a yes: everything, or nothing, in one transaction.

        Raises:
            InteractionGone: it was finished meanwhile.
            AccessDenied: the authority or the account has ended meanwhile.
            LoginRequired: the session has.
            OAuthError: what ``issue`` raises.
        """
        now_ms = self._sessions.now_ms()

        async def work(uow: UnitOfWork) -> None:
            if not await uow.sign_ins.finish_interaction(waiting.record.interaction_hash, now_ms):
                raise InteractionGone
            await self._require_still(uow, approval)
            if consented:
                await Consents.give(uow, approval.actor, approval.subject, waiting.request, now_ms)
            await issue(uow.provider_writes)
            if waiting.polled is not None:
                await tell(uow, waiting.polled.record, now_ms, self._random)

        await self._store.write(work)

    async def abandon(
        self,
        waiting: Waiting,
        person_id: str | None,
        also: Callable[[ProviderWrites], Awaitable[None]] | None = None,
    ) -> None:
        """End the interaction with a no; ``also`` writes more in the same transaction.

        It goes into the audit trail when it is somebody's: ``person_id`` is who is signed in. What
        strangers begin and give up could fill that for good.

        Raises:
            InteractionGone: it was finished meanwhile.
        """
        now_ms = self._sessions.now_ms()

        async def work(uow: UnitOfWork) -> None:
            if not await uow.sign_ins.finish_interaction(waiting.record.interaction_hash, now_ms):
                raise InteractionGone
            if person_id is not None:
                await uow.operations.audit(
                    "authorization.refused",
                    {"client_id": waiting.record.client_id, "person_id": person_id},
                )
            if also is not None:
                await also(uow.provider_writes)
            if waiting.polled is not None:
                await tell(uow, waiting.polled.record, now_ms, self._random)

        await self._store.write(work)

    def is_csrf(self, waiting: Waiting, given: str) -> bool:
        """Whether a form came from our page for this interaction in this browser."""
        return hmac.compare_digest(waiting.csrf.encode(), given.encode("utf-8", "replace"))

    def seen(self, waiting: Waiting, approval: Approval) -> str:
        """Stands for what a consent page says: a yes counts only for what was shown."""
        who = (approval.actor, approval.subject, approval.authority)
        amends = waiting.request.amends
        before = "" if amends is None else amends.grant_id
        shown = "\x00".join((waiting.interaction_id, *who, before, *approval.scope))
        return base64url.encode(self._hasher.hash(f"seen\x00{shown}"))

    def session_csrf(self, session: Session) -> str:
        """The same for forms that belong to a session and to no interaction."""
        return base64url.encode(self._hasher.hash(f"csrf\x00session\x00{session.session_id}"))

    def is_session_csrf(self, session: Session, given: str) -> bool:
        """Whether a form came from our page for this session."""
        expected = self.session_csrf(session).encode()
        return hmac.compare_digest(expected, given.encode("utf-8", "replace"))

    def door(self, cookies: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
        """What a form carries before anybody has signed in, and the cookies that go with it."""
        binding = self.binding(cookies)
        if binding is not None:
            return self._csrf("door", binding), ()
        binding = self.new_binding()
        return self._csrf("door", binding), (self._sessions.cookies.set(INTERACTION, binding),)

    def handle(self, session: Session) -> str:
        """What stands for a session on a page: its id never leaves."""
        return base64url.encode(self._hasher.hash(f"handle\x00{session.session_id}")[:16])

    async def begin_polled(self, polled: Polled, cookies: Mapping[str, str]) -> Redirect:
        """Begin the pages for a request that no browser brought.

        Raises:
            InteractionGone: its client is disabled.
            TooManyRequests: too many of its client wait.
        """
        client = await self._store.read.provider_reads.client(polled.record.client_id)
        if client is None:
            raise InteractionGone
        return await self._add(client, kept_polled(polled), None, cookies)

    async def _begin(self, request: AuthorizationRequest, cookies: Mapping[str, str]) -> Redirect:
        kept = {"parameters": dict(request.parameters), "dpop_jkt": request.dpop_jkt}
        text = orjson.dumps(kept).decode()
        pushed = request.pushed_request_hash
        return await self._add(request.client, text, pushed, cookies)

    async def _add(
        self, client: Client, request: str, pushed: bytes | None, cookies: Mapping[str, str]
    ) -> Redirect:
        now_ms = self._sessions.now_ms()
        interaction_id = base64url.encode(self._random(_ID_BYTES))
        # One cookie for the whole browser, so that two windows do not end each other's request.
        binding = self.binding(cookies) or self.new_binding()
        record = Interaction(
            interaction_hash=self._hasher.hash(interaction_id),
            binding_hash=self._hasher.hash(binding),
            client_id=client.client_id,
            request=request,
            pushed_request_hash=pushed,
            person_id=None,
            organisation_id=None,
            created_at=now_ms,
            expires_at=now_ms + LIFETIME_SECONDS * 1000,
        )

        most = self._config.open_requests

        async def work(uow: UnitOfWork) -> None:
            count = uow.sign_ins.open_interactions
            if client.is_counted and await count(client.client_id, now_ms, most) >= most:
                raise TooManyRequests("too many requests of this client wait: try again shortly")
            await uow.sign_ins.add_interaction(record)

        await self._store.write(work)
        return Redirect(
            self._config.url(f"{INTERACTION_PATH}{interaction_id}"),
            (self._sessions.cookies.set(INTERACTION, binding),),
        )

    async def _update(
        self, waiting: Waiting, person_id: str, organisation_id: str | None
    ) -> Waiting:
        record = replace(waiting.record, person_id=person_id, organisation_id=organisation_id)

        async def work(uow: UnitOfWork) -> None:
            await uow.sign_ins.update_interaction(record)

        await self._store.write(work)
        return replace(waiting, record=record)

    async def _require_still(self, uow: UnitOfWork, approval: Approval) -> None:
        try:
            await self._authorities.require_still(
                uow, approval.actor, approval.subject, approval.authority
            )
        except NotAllowed as error:
            raise AccessDenied(error.message) from None
        await require_open(uow, approval.session_id)
        await use_up(uow, approval.offer_id, self._sessions.now_ms())

    def binding(self, cookies: Mapping[str, str]) -> str | None:
        """What binds what this browser begins to it, if it has that yet."""
        value = cookies.get(self._sessions.cookies.name(INTERACTION), "")
        return value if COOKIE_VALUE.fullmatch(value) else None

    def new_binding(self) -> str:
        """A value for the cookie that binds what a browser begins to it."""
        return base64url.encode(self._random(_ID_BYTES))

    def page_csrf(self, page: str, binding: str) -> str:
        """What the form of a page that belongs to no interaction must carry in this browser."""
        return base64url.encode(self._hasher.hash(f"csrf\x00page\x00{page}\x00{binding}"))

    def is_page_csrf(self, page: str, cookies: Mapping[str, str], given: str) -> bool:
        """Whether a form came from that page of ours in this browser."""
        binding = self.binding(cookies)
        if binding is None:
            return False
        expected = self.page_csrf(page, binding).encode()
        return hmac.compare_digest(expected, given.encode("utf-8", "replace"))

    def _csrf(self, interaction_id: str, binding: str) -> str:
        return base64url.encode(
            self._hasher.hash(f"csrf\x00interaction\x00{interaction_id}\x00{binding}")
        )
