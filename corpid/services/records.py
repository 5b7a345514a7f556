"""Records of the use cases that are no part of the domain: how the service runs its business."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from corpid.domain.credential import Credential, OfferGrant, StatusEntry
from corpid.domain.mandate import MandateEvent, MandateState, Side
from corpid.domain.person import Assurance
from keys.record import record

BY_OPERATOR: Final = "operator."
"""What the grant of a credential begins with that an operator issued; such a grant has no row."""
BY_WALLET: Final = "wallet: "
"""What the reason of a change begins with that a wallet's notification made."""
WALLET: Final = "wallet"
"""Who did what a wallet's notification led to, in a credential's history."""
BY_CODE: Final = OfferGrant.PRE_AUTHORIZED_CODE.value
BY_SIGN_IN: Final = OfferGrant.AUTHORIZATION_CODE.value


@record
class Tries:
    """How often guessing failed, and until when (epoch ms) further guesses are refused."""

    failures: int
    blocked_until: int


@record
class ClientRecord:
    """A relying party as registered. ``metadata`` has RFC 7591's names and our own."""

    client_id: str
    sector: str
    metadata: Mapping[str, Any]
    secret_hash: bytes | None
    created_at: int
    recorded_at: int
    disabled_at: int | None = None


@record
class InitialToken:
    """An initial access token (RFC 7591 3), kept by hash; times in epoch ms.

    ``policy`` is what its clients may have, None for what the settings say.
    """

    token_id: str
    token_hash: bytes
    label: str
    policy: Mapping[str, Any] | None
    uses_left: int
    created_at: int
    expires_at: int
    ended_at: int | None = None

    def is_live(self, now_ms: int) -> bool:
        """Whether a client may still register by it."""
        return self.uses_left > 0 and now_ms < self.expires_at and self.ended_at is None


@record
class SelfRegistration:
    """That a client registered itself: by which token, and what it may have.

    ``token_hash`` is its registration access token's (RFC 7592).
    """

    client_id: str
    token_hash: bytes
    initial_token_id: str | None
    policy: Mapping[str, Any]
    registered_at: int


@record
class Session:
    """A browser's sign-in session; times in epoch ms.

    It goes on when the same person signs in again in the same browser: ``began_at`` is the first
    time, ``signed_in_at`` the last. ``seen_at`` is when it was used last, to some minutes.
    ``browser`` is what the person may know it by ("Firefox, Windows").
    """

    session_hash: bytes
    session_id: str
    person_id: str
    assurance: Assurance
    methods: tuple[str, ...]
    signed_in_at: int
    expires_at: int
    ended_at: int | None = None
    began_at: int = 0
    seen_at: int = 0
    browser: str = ""

    @property
    def used_at(self) -> int:
        """The last sign of the person's being there."""
        return max(self.signed_in_at, self.seen_at)


@record
class Interaction:
    """An authorization request waiting for a person, bound to one browser."""

    interaction_hash: bytes
    binding_hash: bytes
    client_id: str
    request: str
    pushed_request_hash: bytes | None
    person_id: str | None
    organisation_id: str | None
    created_at: int
    expires_at: int
    finished_at: int | None = None


@record
class Consent:
    """What a person, for an organisation, agreed that a client is told."""

    person_id: str
    organisation_id: str
    client_id: str
    scopes: frozenset[str]
    claims: str
    given_at: int


@record
class MandateHistoryRow:
    """One event in a mandate's life and the state after it."""

    sequence: int
    event: MandateEvent
    side: Side
    actor: str
    state: MandateState
    grantor_accepted: bool
    holder_accepted: bool
    reason: str
    recorded_at: int


@record
class Offer:
    """A credential offer as it is stored.

    ``credentials`` are configuration ids, with the branch that is meant behind a slash where the
    credential is about one.
    ``grants`` are the ways in which it may be redeemed; ``tx_code`` is what the wallet is told of
    the transaction code.
    """

    offer_id: str
    code_hash: bytes
    transaction_code_hash: bytes | None
    organisation_id: str
    person_id: str
    authority: str
    credentials: tuple[str, ...]
    created_at: int
    expires_at: int
    wrong_tries: int = 0
    used_at: int | None = None
    ended_at: int | None = None
    grants: tuple[str, ...] = (BY_CODE,)
    tx_code: Mapping[str, Any] | None = None

    def is_open(self, now_ms: int) -> bool:
        """Whether it can still be redeemed."""
        return self.used_at is None and self.ended_at is None and now_ms < self.expires_at


@record
class CredentialRow:
    """A credential together with what only its issuance needs."""

    credential: Credential
    grant_id: str
    signing_kid: str


@record
class Beside:
    """What there is where credentials of a type are to be recorded under a grant, for some keys.

    ``goes_on``: the grant has not ended; what operators issue has none that could. ``others``: how
    many live credentials of the type other keys have, or these in other formats, but those that
    give way to a renewal.
    ``earlier``: what these keys got in this format and is live, suspended, or revoked by us, oldest
    first.
    """

    goes_on: bool
    others: int
    earlier: Sequence[Credential]


@record
class StatusListRow:
    """A status list as it is stored."""

    list_id: str
    bits: int
    size: int
    sealed_permutation_key: bytes
    reserved: int
    version: int
    created_at: int
    closed_at: int | None = None


@record
class StatusListHead:
    """A status list and its last signed token, without the token. Cheap to read for all lists."""

    list_id: str
    bits: int
    size: int
    version: int
    created_at: int
    closed_at: int | None
    token_version: int | None
    token_at: int | None


@record
class StatusTokenRow:
    """A signed list in both forms: of which version, and from when until when (epoch ms)."""

    list_id: str
    version: int
    published_at: int
    published_until: int
    jwt: str
    cwt: bytes


@record
class AuthorityRow:
    """A root of the development authority as it is stored.

    ``certificate`` is base64 DER, ``revocation_list`` DER.
    """

    name: str
    certificate: str
    sealed_private: bytes
    revocation_list: bytes
    created_at: int


@record
class OutboxMessage:
    """Something that must be told to others. ``recipient`` is a client id, or empty.

    Each claim of it is counted in ``attempts`` and moves ``due_at`` on.
    """

    message_id: bytes
    topic: str
    body: bytes
    created_at: int
    due_at: int
    recipient: str = ""
    attempts: int = 0


@record
class ClientSession:
    """What one client has under a sign-in session: for one organisation, by one person."""

    client_id: str
    session_id: str
    subject: str
    actor: str


@record
class GivenGrant:
    """What a client was given: for one organisation, by one person, in a session if in any."""

    grant_id: str
    client_id: str
    session_id: str | None
    subject: str | None
    actor: str | None


__all__ = [
    "AuthorityRow",
    "Beside",
    "ClientRecord",
    "ClientSession",
    "Consent",
    "CredentialRow",
    "GivenGrant",
    "InitialToken",
    "Interaction",
    "MandateHistoryRow",
    "Offer",
    "OutboxMessage",
    "SelfRegistration",
    "Session",
    "StatusEntry",
    "StatusListHead",
    "StatusListRow",
    "StatusTokenRow",
    "Tries",
]
