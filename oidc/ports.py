"""What the protocols need from their host, one small capability each."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from keys.record import record
from keys.signer import Signer
from oidc.managed_grant_ports import ManagedGrantReads, ManagedGrantWrites
from oidc.records import (
    AccessToken,
    AuditEvent,
    AuthorizationCode,
    Client,
    Grant,
    PolledRequest,
    PreAuthorizedOffer,
    PushedRequest,
    RefreshToken,
)

T = TypeVar("T")
Detail = Mapping[str, Any]
"""One element of ``authorization_details`` (RFC 9396 2), with its ``type``."""


class DetailType(Protocol):
    """What one type of authorization details means: the host's knowledge, our envelope."""

    def read(self, detail: Detail) -> Detail:
        """A detail as it will be kept, its ``locations`` apart.

        Raises:
            InvalidAuthorizationDetails: a member is missing, malformed or unknown (RFC 9396 5).
        """

    def granted(self, detail: Detail) -> Detail:
        """A detail as it is granted, with what the server adds (RFC 9396 7.1)."""

    def covers(self, had: Detail, wanted: Detail) -> bool:
        """Whether a granted detail covers another one of its type (RFC 9396 6.1)."""


@record
class Fetched:
    """A document from elsewhere, whose answer was 200.

    ``media_type`` is in lower case, without parameters, empty if none was said. ``max_age`` is how
    many seconds it stays fresh (0: it must not be kept), None when the answer does not say.
    """

    body: bytes
    media_type: str
    max_age: int | None


class FetchFailed(Exception):
    """There is no usable answer. The message may be shown to whoever named the address."""


class Outbound(Protocol):
    """Reaching an address that somebody else has named: https only, within bounds, SSRF-safe.

    What the answer says is the caller's to check: it is foreign text.
    """

    async def get(self, url: str, *, max_bytes: int, accept: str = "application/json") -> Fetched:
        """The document at that address; redirects are not followed, a fragment is not sent.

        Raises:
            FetchFailed: the address may not be fetched, or the answer is not 200, too long, late.
        """

    async def post(self, url: str, body: bytes, content_type: str, *, max_bytes: int) -> int:
        """Send this there; the status of the answer, of which nothing but the head counts.

        Raises:
            FetchFailed: as for ``get``, but whatever the status.
        """


class Signers(Protocol):
    """The signing keys. The private part never passes through here."""

    def signer(self, purpose: str, alg: str) -> Signer:
        """The key that signs now for that purpose and algorithm."""

    def jwks(self) -> Mapping[str, Any]:
        """The public keys that tokens verify with (RFC 7517)."""


class ProviderReads(ManagedGrantReads, Protocol):
    """What the authorization server looks up. Every hash is the host's keyed hash."""

    async def client(self, client_id: str) -> Client | None:
        """The client, or None when it is unknown or disabled."""

    async def pushed_request(self, request_hash: bytes) -> PushedRequest | None:
        """A pushed authorization request."""

    async def code(self, code_hash: bytes) -> tuple[AuthorizationCode, Grant] | None:
        """An authorization code and its grant."""

    async def polled_request(self, code_hash: bytes) -> tuple[PolledRequest, Grant | None] | None:
        """A request that waits for a person, by the client's code, and its grant if it has one."""

    async def polled_request_of(self, user_code_hash: bytes) -> PolledRequest | None:
        """The same by what the person types (RFC 8628)."""

    async def refresh_token(self, token_hash: bytes) -> tuple[RefreshToken, Grant] | None:
        """A refresh token and its grant."""

    async def access_token(self, token_hash: bytes) -> tuple[AccessToken, Grant | None] | None:
        """An access token and its grant (None for client credentials).

        The grant's authorization details are those of the token, where that has fewer.
        """

    async def offer(self, code_hash: bytes) -> PreAuthorizedOffer | None:
        """A credential offer by its pre-authorized code."""


class ProviderWrites(ManagedGrantWrites, Protocol):
    """What the authorization server writes, inside one transaction."""

    async def use_once(self, key_hash: bytes, expires_at: int) -> bool:
        """Remember a one-time value; False when it was used before."""

    async def add_pushed_request(self, request: PushedRequest) -> None:
        """Keep a pushed authorization request."""

    async def open_pushed_requests(self, client_id: str, now_ms: int, at_most: int) -> int:
        """How many ``counted`` requests of a client wait to be used; no more than ``at_most``."""

    async def claim_pushed_request(self, request_hash: bytes, now_ms: int) -> bool:
        """Use a pushed request; False when another use came first."""

    async def add_grant(self, grant: Grant) -> None:
        """Keep a grant."""

    async def end_grant(self, grant_id: str, now_ms: int, reason: str) -> None:
        """End a grant with every code, access token and refresh token of it."""

    async def add_code(self, code: AuthorizationCode) -> None:
        """Keep an authorization code."""

    async def claim_code(self, code_hash: bytes, now_ms: int) -> bool:
        """Use a code; False when another redemption came first."""

    async def add_polled_request(self, request: PolledRequest) -> bool:
        """Keep a request that waits for a person; False when its user code is taken."""

    async def open_polled_requests(self, client_id: str, now_ms: int, at_most: int) -> int:
        """How many requests of a client wait for a person; no more than ``at_most``."""

    async def open_polled_requests_like(self, request: PolledRequest, at_most: int) -> int:
        """How many of the same client wait for the same person, or for the same business."""

    async def count_poll(self, code_hash: bytes, now_ms: int, slower_by: int) -> int:
        """Count that the client asked; the interval (ms) from now on.

        It is longer by ``slower_by`` when the client asked too early. The next time is due a
        second before the interval is over, for the network is not even.
        """

    async def approve_polled_request(self, code_hash: bytes, grant_id: str, now_ms: int) -> bool:
        """Give it its grant; False when it is not open any more."""

    async def refuse_polled_request(self, code_hash: bytes, now_ms: int) -> bool:
        """Refuse it; False when it is not open any more."""

    async def claim_polled_request(self, code_hash: bytes, now_ms: int) -> bool:
        """Fetch its tokens; False when another request came first."""

    async def add_access_token(self, token: AccessToken) -> None:
        """Keep an access token."""

    async def end_access_token(self, token_hash: bytes, now_ms: int) -> None:
        """End one access token; its grant stays."""

    async def narrow_access_token(self, token: AccessToken, details: Sequence[Detail]) -> None:
        """Keep that this token has these authorization details, and not all of its grant's."""

    async def add_refresh_token(self, token: RefreshToken) -> None:
        """Keep a refresh token."""

    async def claim_refresh_token(self, token_hash: bytes, now_ms: int) -> bool:
        """Rotate a refresh token; False when it was rotated before."""

    async def claim_offer(self, offer_id: str, now_ms: int) -> bool:
        """Use a credential offer; False when it was used or ended before."""

    async def count_wrong_transaction_code(
        self, offer_id: str, now_ms: int, limit: int, next_try_at: int
    ) -> bool:
        """Count a wrong transaction code; True when that was one too many and the offer ended.

        Before ``next_try_at`` (epoch ms) none is looked at.
        """

    async def standing(self, subject: str, actor: str, authority: str) -> object | None:
        """A value that changes when what an act of this authority rests on does; None without it.

        Nothing of that can change before the write is over.
        """

    async def audit(self, event: AuditEvent) -> None:
        """Append to the audit trail."""


class ProviderStore(Protocol):
    """Reads, and writes as atomic units that are durable when ``write`` returns."""

    @property
    def read(self) -> ProviderReads:
        """Committed state."""

    async def write(self, work: Callable[[ProviderWrites], Awaitable[T]]) -> T:
        """Run ``work`` in one transaction. It awaits nothing but the writes.

        An exception rolls everything back; to refuse a request and keep what was written,
        return the refusal and raise it afterwards.
        """


class Claims(Protocol):
    """What tokens say of a grant's subject and actor: the host's knowledge, our envelope."""

    async def id_token(self, grant: Grant, client: Client) -> Mapping[str, Any]:
        """sub, act and the claims that belong in the ID token."""

    async def userinfo(self, grant: Grant, client: Client) -> Mapping[str, Any]:
        """sub, act and the claims of the granted scopes.

        Raises:
            InvalidGrant: what the grant rests on has ended.
            InsufficientUserAuthentication: it needs another sign-in (RFC 9470).
        """

    async def access_token(self, grant: Grant, client: Client, resource: str) -> Mapping[str, Any]:
        """sub (pairwise for the resource's sector), act, and the authority."""

    async def introspection(self, grant: Grant, client: Client, audience: str) -> Mapping[str, Any]:
        """The same for a resource server that asks."""

    def authorization_details(
        self, grant: Grant, client: Client, audience: str
    ) -> Sequence[Detail]:
        """The granted details that count now, as the client (audience "") or a resource reads
        them. Asked only of a grant that has some.
        """


@record
class Delegated:
    """What entitles an agent to act for a subject: the host's references.

    ``expires_at`` (epoch ms) is when it ends by its dates, None when no end is known.
    ``prior_actors`` acted before the agent, the latest first; ``standing`` is what
    ``ProviderWrites.standing`` must still say when the grant is stored.
    """

    authority: str
    expires_at: int | None
    prior_actors: tuple[str, ...]
    standing: object


class Delegations(Protocol):
    """Who may act for whom when tokens are exchanged (RFC 8693): the host's knowledge."""

    async def delegate(self, subject: Grant, actor: Grant) -> Delegated:
        """By what the actor, for the organisation of its own grant, acts for the subject.

        Raises:
            InvalidGrant: nothing entitles it now.
        """


@record
class AuthorizationRequest:
    """A validated authorization request (RFC 6749 4.1.1, OpenID Connect Core 3.1.2.1).

    ``amends`` is the grant that ``grant_id`` names, once it was looked up: its subject and actor
    alone may approve, and a request that merges asks for all that it has besides.
    """

    client: Client
    redirect_uri: str
    scope: tuple[str, ...]
    state: str | None
    nonce: str | None
    code_challenge: str | None
    dpop_jkt: str | None
    prompt: frozenset[str]
    max_age: int | None
    acr_values: tuple[str, ...]
    login_hint: str | None
    id_token_hint: str | None
    ui_locales: tuple[str, ...]
    claims: Mapping[str, Any]
    resource: tuple[str, ...]
    response_mode: str
    parameters: Mapping[str, str]
    pushed_request_hash: bytes | None
    authorization_details: tuple[Detail, ...] = ()
    claims_locales: tuple[str, ...] = ()
    grant_action: str | None = None
    grant_id: str | None = None
    amends: Grant | None = None


@record
class Approval:
    """The host's yes: who acts for whom, by what authority, and how they signed in.

    ``offer_id`` is the credential offer that the request goes on with (OpenID4VCI 5.1.3): the
    host claims it with the approval.
    """

    subject: str
    actor: str
    authority: str
    session_id: str
    scope: tuple[str, ...]
    acr: str
    amr: tuple[str, ...]
    auth_time: int
    expires_at: int
    offer_id: str | None = None


@record
class Redirect:
    """The host needs the person: send the browser to this page of ours, with these cookies."""

    location: str
    cookies: tuple[str, ...] = ()


@record
class Page:
    """A page of the host's (HTML), and the content security policy that it works under."""

    body: bytes
    content_security_policy: str


class Interactions(Protocol):
    """Sign-in, choice of the organisation and consent: the host's pages."""

    async def decide(
        self, request: AuthorizationRequest, cookies: Mapping[str, str], accept_language: str
    ) -> Approval | Redirect:
        """Decide at once, or say where the person must go.

        Raises:
            OAuthError: the request is refused (login_required, consent_required, …).
        """

    async def confirm(
        self, approval: Approval, issue: Callable[[ProviderWrites], Awaitable[None]]
    ) -> None:
        """Run ``issue`` in one transaction, in which the approval still holds.

        Raises:
            OAuthError: it holds no longer; nothing was written. Or what ``issue`` raises.
        """

    async def error_page(
        self, code: str, description: str, ui_locales: tuple[str, ...], accept_language: str
    ) -> bytes:
        """The page for an error that must not be sent to a redirect URI (HTML)."""

    async def form_post_page(
        self,
        action: str,
        fields: Mapping[str, str],
        ui_locales: tuple[str, ...],
        accept_language: str,
    ) -> Page:
        """The page that posts ``fields`` to ``action`` by itself, or by a button without script.

        OAuth 2.0 Form Post Response Mode 2.
        """
