"""What a relying party registers, checked before anything is stored: pure, without the database.

Names are RFC 7591's where it has them; `profile`, `subject`, `min_acr`, `resources` and `serves`
are our own (see `oidc.records.Client`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from corpid.domain.errors import InvalidValue
from corpid.domain.languages import Names
from corpid.domain.person import Assurance
from corpid.services import client_backchannel, client_signing, client_tls, detail_types
from corpid.services.claims import SCOPES
from corpid.services.client_addresses import (
    check_fetched_address,
    check_redirect_uri,
    check_resource,
    check_web_address,
    is_private_use,
)
from corpid.services.client_backchannel import BackchannelAuthentication
from corpid.services.client_signing import Signing
from corpid.services.client_tls import NO_TLS, Tls
from corpid.services.client_wallet import check_wallet
from corpid.services.public_keys import read_key_set
from keys.jwk import JwkSet
from oidc.profiles import PROFILES, Profile
from oidc.records import NO_AUTHENTICATION, OFFLINE_ACCESS, OPENID

AUTHORIZATION_CODE: Final = "authorization_code"
REFRESH_TOKEN: Final = "refresh_token"
CLIENT_CREDENTIALS: Final = "client_credentials"
PRE_AUTHORIZED_CODE: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
CIBA: Final = "urn:openid:params:grant-type:ciba"
DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANT_TYPES: Final = (
    AUTHORIZATION_CODE,
    REFRESH_TOKEN,
    CLIENT_CREDENTIALS,
    PRE_AUTHORIZED_CODE,
    TOKEN_EXCHANGE,
    DEVICE_CODE,
    CIBA,
)
_OF_PEOPLE: Final = (AUTHORIZATION_CODE, DEVICE_CODE, CIBA)
"""The grants of a person, with which refresh tokens come."""

SUBJECTS: Final = ("organisation", "representative")
PRIVATE_KEY_JWT: Final = "private_key_jwt"
SECRET_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post"})
MAX_URIS: Final = 20
MAX_AGE: Final = 999_999_999
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{2,99}")
_SECTOR: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:/_-]{0,199}")


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody wants to register; ``metadata`` checks it. Empty means the profile's default.

    ``sector`` or ``sector_identifier_uri`` is needed where the redirect URIs have several hosts.
    ``default_max_age`` is in seconds; ``default_acr`` are acr values (URIs) in order of preference.
    ``auth_time`` is in every ID token, so ``require_auth_time`` is kept and changes nothing.
    ``about`` is what is kept and shown but decides nothing, by RFC 7591's names.
    """

    names: Names
    profile: str = "fapi2"
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = (OPENID,)
    grant_types: tuple[str, ...] = ()
    auth_method: str | None = None
    jwks: Mapping[str, Any] | None = None
    sector: str | None = None
    subject: str = "organisation"
    min_acr: str = Assurance.LOA2.value
    pkce_required: bool = True
    dpop: bool = False
    pushed_requests: bool = False
    id_token_alg: str = "ES256"
    resources: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    policy_uri: str | None = None
    jwks_uri: str | None = None
    sector_identifier_uri: str | None = None
    assertion_alg: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    detail_types: tuple[str, ...] = ()
    may_act: str | None = None
    backchannel: BackchannelAuthentication = field(default_factory=BackchannelAuthentication)
    signing: Signing = field(default_factory=Signing)
    default_max_age: int | None = None
    default_acr: tuple[str, ...] = ()
    require_auth_time: bool = False
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    tls: Tls = NO_TLS
    grant_management: bool = False
    wallet_provider: str | None = None

    @property
    def method(self) -> str:
        """The method of client authentication."""
        return self.auth_method or (
            "client_secret_basic"
            if self.profile == "oidc" and self.jwks is None and self.jwks_uri is None
            else PRIVATE_KEY_JWT
        )

    @property
    def grants(self) -> tuple[str, ...]:
        """The grant types, by default those that the scopes, and grant management, need."""
        if self.grant_types:
            return self.grant_types
        if not self.redirect_uris:
            return (CLIENT_CREDENTIALS,)
        offline = (REFRESH_TOKEN,) if OFFLINE_ACCESS in self.scopes else ()
        own = (CLIENT_CREDENTIALS,) if self.grant_management else ()
        return (AUTHORIZATION_CODE, *offline, *own)


def metadata(wanted: Registration) -> dict[str, Any]:
    """The metadata to store.

    Raises:
        InvalidValue: something may not be registered like this, and what to do.
    """
    profile = PROFILES.get(wanted.profile)
    if profile is None:
        raise InvalidValue(f"there is no profile {wanted.profile!r}: use {', '.join(PROFILES)}")
    _check_grants(wanted)
    own_schemes = profile.private_use_schemes and wanted.method == NO_AUTHENTICATION
    for uri in wanted.redirect_uris:
        check_redirect_uri(uri, private_use=own_schemes)
    _check_scopes(wanted)
    _check_profile(wanted, profile)
    client_backchannel.check(
        wanted.backchannel, wanted.grants, wanted.method, wanted.scopes, check_web_address
    )
    keys = _check_keys(wanted, profile)
    elsewhere = wanted.jwks_uri is not None
    client_signing.check(wanted.signing, profile, keys, keys_elsewhere=elsewhere)
    client_tls.check(wanted.tls, wanted.method, wanted.jwks, keys_elsewhere=elsewhere)
    for uri in (*wanted.resources, *wanted.serves):
        check_resource(uri)
    if wanted.policy_uri is not None:
        check_web_address(wanted.policy_uri, "the policy URI")
    _check_logout(wanted)
    check_wallet(wanted, profile)
    if wanted.subject not in SUBJECTS:
        raise InvalidValue(f"the subject is one of {', '.join(SUBJECTS)}")
    _check_defaults(wanted)
    if wanted.min_acr not in {level.value for level in Assurance}:
        raise InvalidValue(f"the minimum assurance is one of {', '.join(Assurance)}")
    found = _as_metadata(wanted, profile)
    _check_by_library(found)
    return found


def _check_by_library(found: Mapping[str, Any]) -> None:
    """A second opinion on RFC 7591 2 from code that is not ours."""
    from authlib.oauth2.rfc7591 import (  # type: ignore[import-untyped]
        ClientMetadataClaims,
    )
    from joserfc.errors import JoseError

    # It knows no scheme without a host: those are ours to check alone.
    with_host = [uri for uri in found["redirect_uris"] if not is_private_use(uri)]
    claims = ClientMetadataClaims({**found, "redirect_uris": with_host}, {}, {})
    try:
        claims.validate()
    except JoseError as error:
        raise InvalidValue(f"the registration is not acceptable: {error}") from error


def sector_of(wanted: Registration, client_id: str) -> str:
    """The sector of the client's pairwise identifiers; it can never be changed.

    Raises:
        InvalidValue: it cannot be told from the redirect URIs (OpenID Connect Core 8.1).
    """
    if wanted.sector is not None:
        return named_sector(wanted.sector)
    hosts = _hosts(wanted.redirect_uris) or _hosts(wanted.serves)
    if len(hosts) > 1:
        raise InvalidValue(
            f"the addresses have several hosts ({', '.join(sorted(hosts))}): give a "
            "sector_identifier_uri whose document lists them all, or, as the operator, name the "
            "sector by --sector. It decides which clients see the same identifiers, and can never "
            "be changed"
        )
    host = hosts.pop() if hosts else ""
    # Anybody can take a scheme: two clients that have the same have nothing in common.
    return client_id if not host or host.endswith(":") else host


def named_sector(name: str) -> str:
    """A sector as an operator names it.

    Raises:
        InvalidValue: it is not written like one.
    """
    if not _SECTOR.fullmatch(name):
        raise InvalidValue("a sector is written like a host name, such as bank.example")
    return name.lower()


def _check_logout(wanted: Registration) -> None:
    """RP-Initiated Logout 1.0, 3.1; Back-Channel Logout 1.0, 2.2."""
    if len(wanted.post_logout_redirect_uris) > MAX_URIS:
        raise InvalidValue(f"a client has at most {MAX_URIS} post-logout redirect URIs")
    for uri in wanted.post_logout_redirect_uris:
        check_redirect_uri(uri)
    if wanted.backchannel_logout_uri is not None:
        check_web_address(wanted.backchannel_logout_uri, "the back-channel logout URI")
        if "#" in wanted.backchannel_logout_uri:
            raise InvalidValue("the back-channel logout URI has a fragment")
    elif wanted.backchannel_logout_session_required:
        raise InvalidValue("a logout token with a session needs a back-channel logout URI")
    logs_out = wanted.post_logout_redirect_uris or wanted.backchannel_logout_uri
    if logs_out and AUTHORIZATION_CODE not in wanted.grants:
        raise InvalidValue("only a client that signs people in has anything to do with logout")


def _check_grants(wanted: Registration) -> None:
    unknown = set(wanted.grants) - set(GRANT_TYPES)
    if unknown:
        raise InvalidValue(f"unknown grant type {', '.join(sorted(unknown))}")
    if AUTHORIZATION_CODE in wanted.grants and not wanted.redirect_uris:
        raise InvalidValue("a client that signs people in needs a redirect URI")
    if REFRESH_TOKEN in wanted.grants and not set(_OF_PEOPLE) & set(wanted.grants):
        raise InvalidValue("refresh tokens come with the grant of a person")
    if OFFLINE_ACCESS in wanted.scopes and REFRESH_TOKEN not in wanted.grants:
        raise InvalidValue("the scope offline_access needs the grant type refresh_token")
    calls = wanted.resources or wanted.serves or wanted.grant_management
    if CLIENT_CREDENTIALS in wanted.grants and not calls:
        raise InvalidValue("a client without people names the resources it calls, or serves")
    if wanted.grant_management and AUTHORIZATION_CODE not in wanted.grants:
        raise InvalidValue("grant management is for a client that people authorize")
    if TOKEN_EXCHANGE in wanted.grants and wanted.method == "none":
        raise InvalidValue("only a client that authenticates itself may exchange tokens")
    if wanted.may_act is not None and not _CLIENT_ID.fullmatch(wanted.may_act):
        raise InvalidValue("may_act is the id of the client that may exchange this one's tokens")
    if len(wanted.redirect_uris) > MAX_URIS:
        raise InvalidValue(f"a client has at most {MAX_URIS} redirect URIs")
    if len(set(wanted.redirect_uris)) != len(wanted.redirect_uris):
        raise InvalidValue("a redirect URI is named twice")


def _check_scopes(wanted: Registration) -> None:
    unknown = set(wanted.scopes) - set(SCOPES)
    if unknown:
        known = ", ".join(SCOPES)
        raise InvalidValue(f"unknown scope {', '.join(sorted(unknown))}: use {known}")
    unknown = set(wanted.detail_types) - set(detail_types.NAMES)
    if unknown:
        known = ", ".join(detail_types.NAMES)
        raise InvalidValue(
            f"unknown type of authorization details {', '.join(sorted(unknown))}: use {known}"
        )


def _check_defaults(wanted: Registration) -> None:
    age = wanted.default_max_age
    if age is not None and not 0 <= age <= MAX_AGE:
        raise InvalidValue(f"the default max_age is a number of seconds from 0 to {MAX_AGE}")
    if len(wanted.default_acr) > len(Assurance):
        raise InvalidValue("there are fewer acr values than that")
    for value in wanted.default_acr:
        if value.rpartition("/")[2] not in {level.value for level in Assurance}:
            raise InvalidValue(f"{value!r} is not an acr value: discovery lists them")


def _check_profile(wanted: Registration, profile: Profile) -> None:
    if DEVICE_CODE in wanted.grants and not profile.device_grant:
        raise InvalidValue(f"the profile {profile.name} has no device grant")
    if wanted.method not in profile.auth_methods:
        allowed = ", ".join(sorted(profile.auth_methods))
        raise InvalidValue(
            f"the profile {profile.name} has no client authentication {wanted.method}: {allowed}"
        )
    if not wanted.pkce_required and not profile.pkce_waivable:
        raise InvalidValue(f"the profile {profile.name} always needs PKCE")
    if wanted.method == NO_AUTHENTICATION:
        _check_public(wanted)
    if wanted.id_token_alg not in profile.id_token_algs:
        allowed = ", ".join(sorted(profile.id_token_algs))
        raise InvalidValue(f"ID tokens of the profile {profile.name} are signed with {allowed}")


def _check_public(wanted: Registration) -> None:
    """What stands in for authentication must not be waived (RFC 9700 2.1.1), and a client that
    anybody can claim to be acts for nobody but the person (RFC 6749 4.4, RFC 7662 2.1).
    """
    if not wanted.pkce_required:
        raise InvalidValue("a public client always needs PKCE")
    if wanted.grant_management:
        raise InvalidValue("a public client manages no grants (Grant Management 5.1)")
    if CLIENT_CREDENTIALS in wanted.grants or wanted.serves:
        raise InvalidValue("a public client neither acts for itself nor serves an API")
    if wanted.jwks is not None or wanted.jwks_uri is not None:
        raise InvalidValue("a public client keeps no key secret either: leave its keys out")


def _check_keys(wanted: Registration, profile: Profile) -> JwkSet | None:
    """The client's public keys, where they are not at an address. A client with a secret may have
    some besides, to sign its requests.
    """
    if wanted.jwks is not None and wanted.jwks_uri is not None:
        raise InvalidValue("jwks and jwks_uri do not go together (RFC 7591 2)")
    if wanted.assertion_alg is not None and (
        wanted.method != PRIVATE_KEY_JWT or wanted.assertion_alg not in profile.assertion_algs
    ):
        allowed = ", ".join(sorted(profile.assertion_algs))
        raise InvalidValue(f"an algorithm of client assertions, with private_key_jwt: {allowed}")
    if wanted.jwks_uri is not None:
        check_fetched_address(wanted.jwks_uri, "the jwks_uri")
        return None
    if wanted.jwks is None:
        if wanted.method == PRIVATE_KEY_JWT:
            raise InvalidValue(
                "private_key_jwt needs the client's public keys: a JWK Set, or a jwks_uri"
            )
        return None
    keys = read_key_set(wanted.jwks)
    usable = frozenset({wanted.assertion_alg}) if wanted.assertion_alg else profile.assertion_algs
    if wanted.method == PRIVATE_KEY_JWT and not any(key.algs & usable for key in keys.keys):
        allowed = ", ".join(sorted(usable))
        raise InvalidValue(f"no key of the JWK Set can sign with one of {allowed}")
    return keys


def _hosts(uris: tuple[str, ...]) -> set[str]:
    """The hosts of these addresses; an application's own scheme counts as one, with its colon."""
    schemes = {f"{uri.partition(':')[0]}:" for uri in uris if is_private_use(uri)}
    return schemes | {host for uri in uris if (host := urlsplit(uri).hostname)}


def _as_metadata(wanted: Registration, profile: Profile) -> dict[str, Any]:
    names = wanted.names
    found: dict[str, Any] = {
        **wanted.about,
        "profile": profile.name,
        "client_name": names.en,
        "client_name#zh-Hant": names.zh_hant,
        "client_name#zh-Hans": names.zh_hans,
        "redirect_uris": list(wanted.redirect_uris),
        "scope": " ".join(dict.fromkeys(wanted.scopes)),
        "grant_types": list(dict.fromkeys(wanted.grants)),
        "response_types": ["code"] if AUTHORIZATION_CODE in wanted.grants else [],
        "token_endpoint_auth_method": wanted.method,
        "token_endpoint_auth_signing_alg": wanted.assertion_alg,
        "jwks": dict(wanted.jwks) if wanted.jwks is not None else None,
        "jwks_uri": wanted.jwks_uri,
        "sector_identifier_uri": wanted.sector_identifier_uri,
        "subject": wanted.subject,
        "min_acr": wanted.min_acr,
        "pkce_required": wanted.pkce_required,
        # Where one is required, the certificate is as good as DPoP (FAPI 2.0, 5.3.2.1).
        "dpop_bound_access_tokens": (
            wanted.dpop or (profile.sender_constraint_required and not wanted.tls.bound_tokens)
        ),
        "require_pushed_authorization_requests": (
            wanted.pushed_requests or profile.pushed_requests_required
        ),
        "id_token_signed_response_alg": wanted.id_token_alg,
        "resources": list(wanted.resources),
        "serves": list(wanted.serves),
        "policy_uri": wanted.policy_uri,
        "default_max_age": wanted.default_max_age,
        "default_acr_values": list(wanted.default_acr) or None,
        "require_auth_time": wanted.require_auth_time or None,
        **client_tls.as_metadata(wanted.tls),
        "authorization_details_types": list(dict.fromkeys(wanted.detail_types)) or None,
        "may_act": wanted.may_act,
        **client_backchannel.as_metadata(wanted.backchannel, wanted.grants),
        "grant_management": wanted.grant_management or None,
        "wallet_provider": wanted.wallet_provider,
        **client_signing.as_metadata(wanted.signing, profile),
        "post_logout_redirect_uris": list(wanted.post_logout_redirect_uris) or None,
        "backchannel_logout_uri": wanted.backchannel_logout_uri,
        "backchannel_logout_session_required": wanted.backchannel_logout_session_required or None,
    }
    return {name: value for name, value in found.items() if value is not None}
