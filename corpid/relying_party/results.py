"""What a verification returns: typed, frozen, never a bare bool."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from corpid.relying_party.mandates import Mandate

StatusOutcome = Literal["valid", "undetermined", "unchecked", "none"]
"""`valid`: the list says so. `undetermined`: not learned, and the policy accepts that.
`unchecked`: not asked for. `none`: the credential names no list, and the policy accepts that."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a pairwise identifier; `actor` nests when an agent firm stands in between."""

    subject: str
    subject_type: str | None
    actor: "Actor | None" = None


@dataclass(frozen=True, slots=True)
class OrganisationAttributes:
    """The business as its register knows it; present when `entity.identity` was granted.

    `names` maps language tags (`en`, `zh-Hant`, `zh-Hans`) to names.
    """

    entity_type: str | None
    registration_number: str
    country_of_incorporation: str | None
    status: str | None
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VerifiedIdToken:
    """A sign-in: which business, who acts for it, with what authority. Times in epoch seconds."""

    issuer: str
    subject: str
    subject_type: str | None
    actor: Actor | None
    organisation: OrganisationAttributes | None
    mandates: tuple[Mandate, ...]
    acr: str | None
    amr: tuple[str, ...]
    auth_time: int | None
    session_id: str | None
    expires_at: int
    claims: Mapping[str, Any]

    @property
    def mandate(self) -> Mandate | None:
        """The authority, when it is exactly one mandate."""
        return self.mandates[0] if len(self.mandates) == 1 else None


@dataclass(frozen=True, slots=True)
class VerifiedAccessToken:
    """A call's authority. `key_thumbprint` is the DPoP key, `certificate_thumbprint` the client
    certificate (`x5t#S256`) that it is bound to, each proven for this call.
    """

    issuer: str
    subject: str
    subject_type: str | None
    client_id: str
    scopes: frozenset[str]
    actor: Actor | None
    organisation: OrganisationAttributes | None
    mandates: tuple[Mandate, ...]
    acr: str | None
    auth_time: int | None
    key_thumbprint: str | None
    expires_at: int
    claims: Mapping[str, Any]
    certificate_thumbprint: str | None = None

    @property
    def mandate(self) -> Mandate | None:
        """The authority, when it is exactly one mandate."""
        return self.mandates[0] if len(self.mandates) == 1 else None


@dataclass(frozen=True, slots=True)
class VerifiedAuthorizationResponse:
    """The answer to an authorization request: a `code`, or an `error` and why. Never both.

    `state` is what the request had, `expires_at` in epoch seconds.
    """

    issuer: str
    code: str | None
    error: str | None
    error_description: str | None
    state: str | None
    expires_at: int
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VerifiedUserInfo:
    """What UserInfo says of the business, who acts for it, and with what authority."""

    issuer: str
    subject: str
    subject_type: str | None
    actor: Actor | None
    organisation: OrganisationAttributes | None
    mandates: tuple[Mandate, ...]
    claims: Mapping[str, Any]

    @property
    def mandate(self) -> Mandate | None:
        """The authority, when it is exactly one mandate."""
        return self.mandates[0] if len(self.mandates) == 1 else None


@dataclass(frozen=True, slots=True)
class VerifiedLogoutToken:
    """An order to end sessions: those of `session_id`, else all of `subject`."""

    issuer: str
    subject: str | None
    session_id: str | None
    token_id: str
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VerifiedCredential:
    """A credential, what its holder disclosed of it, and its status. Times in epoch seconds.

    `claims` are what is said of the business, by the same names in every format. `type` is the
    `vct`, the document type of an mdoc, or the W3C type; `format` as OpenID4VCI names it.
    `holder_thumbprint` (RFC 7638) is the key it is bound to; `holder_proven` says whether the
    presenter proved to have it. `undetermined_code` tells why a status is undetermined.
    """

    type: str
    issuer: str
    claims: Mapping[str, Any]
    holder_thumbprint: str | None
    holder_proven: bool
    status: StatusOutcome
    undetermined_code: str | None
    valid_from: int | None
    valid_until: int | None
    mandates: tuple[Mandate, ...] = ()
    format: Literal["dc+sd-jwt", "vc+jwt", "mso_mdoc"] = "dc+sd-jwt"


@dataclass(frozen=True, slots=True)
class VerifiedStatus:
    """A status list that was verified; `entries` is the number of entries that fit."""

    issuer: str
    uri: str
    bits: int
    entries: int
    issued_at: int
    expires_at: int | None
