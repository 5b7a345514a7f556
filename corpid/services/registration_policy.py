"""What a client that registers itself may have, and how its wishes become a registration.

Nobody has looked at such a client. So everything that is not allowed is refused, and told: a
client that silently got less would fail later, at a person's screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from corpid.domain.errors import InvalidValue
from corpid.domain.languages import Language, Names, language_of
from corpid.domain.person import Assurance
from corpid.services.client_addresses import LOOPBACK, check_redirect_uri
from corpid.services.client_metadata import (
    AUTHORIZATION_CODE,
    PRIVATE_KEY_JWT,
    REFRESH_TOKEN,
    Registration,
)
from corpid.services.client_signing import Signing
from keys import jwe
from oidc.attesters import METHODS as BY_ATTESTATION
from oidc.errors import InvalidClientMetadata, InvalidRedirectUri
from oidc.mutual_tls import METHODS
from oidc.profiles import PROFILES
from oidc.provider.client_metadata import TAGGED, choose, read
from oidc.records import NO_AUTHENTICATION, OFFLINE_ACCESS, OPENID

MAX_NAME: Final = 200
WEB: Final = "web"
NATIVE: Final = "native"
# Kept and given back; they decide nothing.
_ABOUT: Final = (
    "application_type",
    "contacts",
    "initiate_login_uri",
    "software_id",
    "software_version",
)
_BASIC: Final = "client_secret_basic"


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    """What may be had without an operator. ``profiles`` is in order of preference.

    An operator who knows whom a token is for may waive PKCE for its confidential clients, where
    their profile lets it be waived, and name the sector of their identifiers.
    """

    profiles: tuple[str, ...] = ("fapi2",)
    scopes: tuple[str, ...] = (OPENID, "entity.identity")
    grant_types: tuple[str, ...] = (AUTHORIZATION_CODE,)
    pkce_required: bool = True
    sector: str | None = None

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "profiles": list(self.profiles),
            "scopes": list(self.scopes),
            "grant_types": list(self.grant_types),
            **({} if self.pkce_required else {"pkce_required": False}),
            **({} if self.sector is None else {"sector": self.sector}),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "RegistrationPolicy":
        """What ``document`` gave."""
        return cls(
            tuple(document["profiles"]),
            tuple(document["scopes"]),
            tuple(document["grant_types"]),
            document.get("pkce_required", True),
            document.get("sector"),
        )


def wanted(document: Mapping[str, Any], policy: RegistrationPolicy) -> Registration:
    """A registration within the policy, from RFC 7591's members.

    Raises:
        InvalidRedirectUri, InvalidClientMetadata, InvalidSoftwareStatement: RFC 7591 3.2.2.
    """
    values = read(document)
    profile = _profile(values, policy)
    chosen = choose(_with_method(values, profile), _offered(profile))
    grants = _grants(chosen, policy)
    application = _application_type(chosen)
    redirects = _redirect_uris(chosen, application, profile)
    _check_response_types(chosen, grants)
    if AUTHORIZATION_CODE in grants and not redirects:
        raise InvalidRedirectUri("redirect_uris is missing")
    return Registration(
        names=_names(chosen, redirects),
        profile=profile,
        redirect_uris=redirects,
        scopes=_scopes(chosen, policy, grants),
        grant_types=grants,
        auth_method=chosen["token_endpoint_auth_method"],
        jwks=chosen.get("jwks"),
        jwks_uri=chosen.get("jwks_uri"),
        sector=None if "sector_identifier_uri" in chosen else policy.sector,
        sector_identifier_uri=chosen.get("sector_identifier_uri"),
        subject=chosen.get("subject", "organisation"),
        min_acr=_assurance(chosen),
        pkce_required=policy.pkce_required or not _may_waive_pkce(chosen, profile),
        dpop=chosen.get("dpop_bound_access_tokens", False),
        pushed_requests=chosen.get("require_pushed_authorization_requests", False),
        id_token_alg=chosen.get("id_token_signed_response_alg", _default_alg(profile)),
        assertion_alg=chosen.get("token_endpoint_auth_signing_alg"),
        default_max_age=chosen.get("default_max_age"),
        default_acr=tuple(chosen.get("default_acr_values", ())),
        require_auth_time=chosen.get("require_auth_time", False),
        post_logout_redirect_uris=tuple(chosen.get("post_logout_redirect_uris", ())),
        backchannel_logout_uri=chosen.get("backchannel_logout_uri"),
        backchannel_logout_session_required=chosen.get(
            "backchannel_logout_session_required", False
        ),
        signing=Signing.of(chosen),
        policy_uri=chosen.get("policy_uri"),
        about=_about(chosen, application),
    )


def _profile(values: Mapping[str, Any], policy: RegistrationPolicy) -> str:
    """The first allowed profile that has one of the client's methods of authentication."""
    named = values.get("profile")
    if named is not None and named not in policy.profiles:
        raise InvalidClientMetadata(f"profile is one of {', '.join(policy.profiles)}")
    candidates = policy.profiles if named is None else (named,)
    methods = _methods(values)
    for candidate in candidates:
        if not methods or not _self_registered(candidate).isdisjoint(methods):
            return candidate
    allowed = sorted({one for name in candidates for one in _self_registered(name)})
    raise InvalidClientMetadata(f"token_endpoint_auth_method is one of {', '.join(allowed)}")


def _self_registered(profile: str) -> frozenset[str]:
    """The methods that software may register by itself. Whose TLS certificates and attestations
    are believed is the operator's affair, and so is the registration of a client that has one.
    """
    return PROFILES[profile].auth_methods - METHODS - BY_ATTESTATION


def _methods(values: Mapping[str, Any]) -> set[str]:
    preferred = values.get("token_endpoint_auth_method")
    several = values.get("token_endpoint_auth_methods_supported", ())
    return {*several, *([preferred] if preferred is not None else [])}


def _with_method(values: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """RFC 7591 2: without a word client_secret_basic, and where that is not to be had, keys."""
    if _methods(values):
        return dict(values)
    has_basic = _BASIC in _self_registered(profile)
    return {**values, "token_endpoint_auth_method": _BASIC if has_basic else PRIVATE_KEY_JWT}


def _offered(profile: str) -> dict[str, frozenset[str]]:
    known = PROFILES[profile]
    return {
        "subject_type": frozenset({"pairwise"}),
        "id_token_signed_response_alg": known.id_token_algs,
        "authorization_signed_response_alg": known.id_token_algs,
        "introspection_signed_response_alg": known.id_token_algs,
        "userinfo_signed_response_alg": known.id_token_algs,
        "id_token_encrypted_response_alg": frozenset(jwe.ALGS),
        "id_token_encrypted_response_enc": frozenset(jwe.ENCS),
        "userinfo_encrypted_response_alg": frozenset(jwe.ALGS),
        "userinfo_encrypted_response_enc": frozenset(jwe.ENCS),
        "request_object_signing_alg": known.assertion_algs,
        "token_endpoint_auth_method": _self_registered(profile),
        "token_endpoint_auth_signing_alg": known.assertion_algs,
    }


def _default_alg(profile: str) -> str:
    # OpenID Connect Registration 2: RS256, where the profile has it.
    return "RS256" if "RS256" in PROFILES[profile].id_token_algs else "ES256"


def _grants(values: Mapping[str, Any], policy: RegistrationPolicy) -> tuple[str, ...]:
    grants = tuple(values.get("grant_types", (AUTHORIZATION_CODE,)))
    denied = [one for one in grants if one not in policy.grant_types]
    if denied or not grants:
        raise InvalidClientMetadata(f"grant_types may have {', '.join(policy.grant_types)}")
    return grants


def _check_response_types(values: Mapping[str, Any], grants: tuple[str, ...]) -> None:
    """RFC 7591 2.1: response types and grant types fit each other."""
    types = values.get("response_types", ["code"] if AUTHORIZATION_CODE in grants else [])
    if set(types) - {"code"}:
        raise InvalidClientMetadata("the only response type is code")
    if bool(types) != (AUTHORIZATION_CODE in grants):
        raise InvalidClientMetadata(
            "the response type code and the grant type authorization_code go together"
        )


def _scopes(
    values: Mapping[str, Any], policy: RegistrationPolicy, grants: tuple[str, ...]
) -> tuple[str, ...]:
    stated = values.get("scope")
    if stated is None:
        return tuple(
            one for one in policy.scopes if one != OFFLINE_ACCESS or REFRESH_TOKEN in grants
        )
    scopes = tuple(dict.fromkeys(stated.split()))
    denied = [one for one in scopes if one not in policy.scopes]
    if denied:
        raise InvalidClientMetadata(f"scope may have {' '.join(policy.scopes)}")
    return scopes


def _may_waive_pkce(values: Mapping[str, Any], profile: str) -> bool:
    public = values["token_endpoint_auth_method"] == NO_AUTHENTICATION
    return PROFILES[profile].pkce_waivable and not public


def _assurance(values: Mapping[str, Any]) -> str:
    level = str(values.get("min_acr", Assurance.LOA2.value))
    if level == Assurance.LOA1.value:
        raise InvalidClientMetadata("min_acr is at least loa2")
    return level


def _application_type(values: Mapping[str, Any]) -> str:
    kind = str(values.get("application_type", WEB))
    if kind not in (WEB, NATIVE):
        raise InvalidClientMetadata("application_type is web or native")
    return kind


def _redirect_uris(values: Mapping[str, Any], application: str, profile: str) -> tuple[str, ...]:
    """OpenID Connect Registration 2: a web client's are https and on no loopback host.

    A native one's may have a scheme of its own, where the client is public (RFC 8252 7.1, 8.4).
    """
    found = tuple(values.get("redirect_uris", ()))
    public = values["token_endpoint_auth_method"] == NO_AUTHENTICATION
    own_schemes = application == NATIVE and public and PROFILES[profile].private_use_schemes
    for uri in found:
        try:
            check_redirect_uri(uri, private_use=own_schemes)
        except InvalidValue as error:
            raise InvalidRedirectUri(str(error)) from None
        if application == WEB and urlsplit(uri).hostname in LOOPBACK:
            raise InvalidRedirectUri("a loopback redirect URI is for application_type native")
    return found


def _names(values: Mapping[str, Any], redirects: tuple[str, ...]) -> Names:
    names: dict[Language, str] = {}
    for member, value in sorted(values.items()):
        plain, _, tag = member.partition("#")
        language = language_of(tag) if tag else "en"
        if plain != "client_name" or language is None:
            continue
        if len(value) > MAX_NAME:
            raise InvalidClientMetadata(f"client_name is longer than {MAX_NAME} characters")
        names.setdefault(language, value)
    if not names:
        names["en"] = (urlsplit(redirects[0]).hostname if redirects else None) or "unnamed"
    return Names(names.get("en"), names.get("zh-Hant"), names.get("zh-Hans"))


def _about(values: Mapping[str, Any], application: str) -> dict[str, Any]:
    kept = {name: values[name] for name in _ABOUT if name in values}
    shown = {name: value for name, value in values.items() if name.partition("#")[0] in TAGGED}
    return {**kept, **shown, "application_type": application, "subject_type": "pairwise"}
