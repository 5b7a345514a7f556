"""What in a client's registration falls short of FAPI 2.0, and how to mend it: pure.

Each rule says one thing, passed or not, like a line of a conformance report. FAPI is FAPI 2.0
Security Profile (final), MS is FAPI 2.0 Message Signing (final).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from corpid.services.client_addresses import LOOPBACK
from keys.errors import KeysError
from keys.jwk import JwkSet, PublicKey
from oidc.mutual_tls import TLS_CLIENT_AUTH
from oidc.profiles import PROFILES, SIGNED_MODES
from oidc.records import OFFLINE_ACCESS

SECURITY_PROFILE: Final = "fapi2"
MESSAGE_SIGNING: Final = "fapi2-message-signing"
LEVELS: Final = (SECURITY_PROFILE, MESSAGE_SIGNING)
_CERTIFICATE_BOUND: Final = "tls_client_certificate_bound_access_tokens"
_FAPI_ALGS: Final = frozenset({"PS256", "ES256", "EdDSA", "Ed25519"})
_STRONG_METHODS: Final = PROFILES[SECURITY_PROFILE].auth_methods
_CODE: Final = "authorization_code"


class Severity(StrEnum):
    """How much a line weighs; a failure is what the standard forbids."""

    PASSED = "passed"
    ADVICE = "advice"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report. ``remedy`` is empty where it passed."""

    rule: str
    section: str
    severity: Severity
    says: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of the client. ``keys`` is what its ``jwks_uri`` gave, or why not."""

    metadata: Mapping[str, Any]
    has_secret: bool
    disabled: bool
    fetched_keys: Mapping[str, Any] | str | None = None


Rule = Callable[[Checked], Iterator[Line]]


def check(client: Checked, level: str = SECURITY_PROFILE) -> list[Line]:
    """The report, in the order of the standard. With ``level`` message signing is demanded too."""
    lines = [one for rule in _SECURITY for one in rule(client)]
    for one in (one for rule in _MESSAGES for one in rule(client)):
        if level == SECURITY_PROFILE and one.severity is Severity.FAILURE:
            lines.append(Line(one.rule, one.section, Severity.ADVICE, one.says, one.remedy))
        else:
            lines.append(one)
    return lines


def worst(lines: Sequence[Line]) -> Severity:
    """The heaviest severity."""
    return max((line.severity for line in lines), key=list(Severity).index)


def line(
    rule: str,
    section: str,
    fine: bool,
    says: tuple[str, str],
    remedy: str,
    severity: Severity = Severity.FAILURE,
) -> Line:
    """One line of a report; ``says`` has the words for both outcomes."""
    if fine:
        return Line(rule, section, Severity.PASSED, says[0])
    return Line(rule, section, severity, says[1], remedy)


def _profile(client: Checked) -> Iterator[Line]:
    name = client.metadata.get("profile", SECURITY_PROFILE)
    yield line(
        "profile",
        "FAPI 5.3.2.1",
        name in LEVELS,
        (f"the profile {name} enforces FAPI 2.0", f"the profile {name} does not enforce FAPI 2.0"),
        "client update ID --profile fapi2",
    )
    yield line(
        "enabled",
        "",
        not client.disabled,
        ("the client is enabled", "the client is disabled"),
        "client enable ID",
        Severity.WARNING,
    )


def _authentication(client: Checked) -> Iterator[Line]:
    method = client.metadata.get("token_endpoint_auth_method", "private_key_jwt")
    yield line(
        "client-authentication",
        "FAPI 5.3.2.1",
        method in _STRONG_METHODS,
        (f"it authenticates by {method}", f"it authenticates by {method}"),
        "client update ID --auth-method private_key_jwt --jwks FILE",
    )
    yield line(
        "no-shared-secret",
        "FAPI 5.3.2.1",
        not client.has_secret,
        ("there is no shared secret", "there is a shared secret"),
        "it goes with the change to private_key_jwt",
    )
    alg = client.metadata.get("token_endpoint_auth_signing_alg")
    yield line(
        "assertion-algorithm",
        "FAPI 5.4.1",
        alg is None or alg in _FAPI_ALGS,
        ("its assertions use PS256, ES256 or Ed25519", f"its assertions are signed with {alg}"),
        "register another token_endpoint_auth_signing_alg, and a key for it",
    )


def _keys(client: Checked) -> Iterator[Line]:
    found = client.metadata.get("jwks", client.fetched_keys)
    if found is None and client.metadata.get("token_endpoint_auth_method") == TLS_CLIENT_AUTH:
        yield Line("keys", "FAPI 5.4.1", Severity.PASSED, "its certificate is its proof")
        return
    if found is None or isinstance(found, str):
        reason = found or "neither jwks nor jwks_uri is registered"
        remedy = "client update ID --jwks FILE, or --jwks-uri URL that answers with a JWK Set"
        yield Line("keys", "FAPI 5.4.1", Severity.FAILURE, f"there are no keys: {reason}", remedy)
        return
    try:
        keys = JwkSet.parse(found).keys
    except KeysError as error:
        remedy = "publish public keys only, RSA of 2048 bits or more, each kid once"
        yield Line("keys", "FAPI 5.4.1", Severity.FAILURE, f"unusable: {error}", remedy)
        return
    signing = [key for key in keys if key.algs & _FAPI_ALGS]
    yield line(
        "keys",
        "FAPI 5.4.1",
        bool(signing),
        (f"{len(signing)} keys can sign with PS256, ES256 or Ed25519", "no key is for FAPI 2.0"),
        "make an EC P-256 key (ES256) and register its public part",
    )
    yield from _single_keys(keys)


def _single_keys(keys: tuple[PublicKey, ...]) -> Iterator[Line]:
    nameless = sum(key.kid is None for key in keys)
    yield line(
        "key-ids",
        "FAPI 5.4.1",
        nameless == 0,
        ("every key has a kid, and none twice", f"{nameless} keys have no kid"),
        "give every key a kid: only so can you change keys without a gap",
        Severity.WARNING,
    )
    weak = [key.kid or "(no kid)" for key in keys if key.algs and not key.algs & _FAPI_ALGS]
    yield line(
        "key-algorithms",
        "FAPI 5.4.1",
        not weak,
        ("no key is bound to another algorithm", f"not for FAPI 2.0: {', '.join(weak)}"),
        "take these keys out, or change their alg",
        Severity.WARNING,
    )


def _requests(client: Checked) -> Iterator[Line]:
    get = client.metadata.get
    yield line(
        "sender-constrained-tokens",
        "FAPI 5.3.2.1",
        bool(get("dpop_bound_access_tokens") or get(_CERTIFICATE_BOUND)),
        ("its access tokens are bound to a key of its own", "its access tokens are Bearer tokens"),
        "client update ID --dpop",
    )
    if _CODE not in get("grant_types", (_CODE,)):
        return
    yield line(
        "pushed-requests",
        "FAPI 5.3.2.2",
        bool(get("require_pushed_authorization_requests")),
        ("it pushes its requests (PAR)", "its requests may come through the browser"),
        "client update ID --par",
    )
    yield line(
        "pkce",
        "FAPI 5.3.2.2",
        bool(get("pkce_required", True)),
        ("PKCE is demanded", "PKCE is waived"),
        "client update ID --pkce",
    )
    yield line(
        "response-type",
        "FAPI 5.3.2.2",
        get("response_types", ["code"]) == ["code"],
        ("the response type is code", "there are other response types than code"),
        "register response_types as code alone",
    )
    yield from _redirects(get("redirect_uris", ()))
    alg = get("id_token_signed_response_alg", "ES256")
    yield line(
        "id-token-algorithm",
        "FAPI 5.4.1",
        alg in _FAPI_ALGS,
        (f"ID tokens are signed with {alg}", f"ID tokens are signed with {alg}"),
        "client update ID --id-token-alg ES256",
    )


def _redirects(uris: Sequence[str]) -> Iterator[Line]:
    yield line(
        "redirect-uris",
        "FAPI 5.3.2.2",
        bool(uris),
        ("redirect URIs are registered", "there is no redirect URI"),
        "client update ID --redirect-uri URI",
    )
    plain = [uri for uri in uris if not uri.startswith("https://")]
    strange = [uri for uri in plain if urlsplit(uri).hostname not in LOOPBACK]
    yield line(
        "redirect-uris-https",
        "FAPI 5.3.2.2",
        not strange,
        ("no redirect URI is plain http", f"not https: {', '.join(strange)}"),
        "register https addresses",
    )
    local = [uri for uri in uris if urlsplit(uri).hostname in LOOPBACK]
    yield line(
        "redirect-uris-loopback",
        "FAPI 5.3.2.2",
        not local,
        ("no redirect URI is on a loopback host", f"on a loopback host: {', '.join(local)}"),
        "fine for a native application and for development; take it out otherwise",
        Severity.WARNING,
    )


def _practice(client: Checked) -> Iterator[Line]:
    get = client.metadata.get
    yield line(
        "assurance",
        "",
        get("min_acr", "loa2") != "loa1",
        ("a password alone is not enough", "a sign-in by password alone is accepted"),
        "client update ID --min-acr loa2",
        Severity.WARNING,
    )
    yield line(
        "logout",
        "Back-Channel Logout 1.0",
        bool(get("backchannel_logout_uri")) or _CODE not in get("grant_types", (_CODE,)),
        ("it is told when a session ends", "it is not told when a session ends"),
        "register a backchannel_logout_uri",
        Severity.ADVICE,
    )
    unused = OFFLINE_ACCESS in get("scope", "").split() and "refresh_token" not in get(
        "grant_types", ()
    )
    yield line(
        "refresh",
        "OpenID Connect Core 11",
        not unused,
        ("offline_access and refresh_token fit each other", "offline_access brings nothing"),
        "add the grant type refresh_token, or leave the scope out",
        Severity.ADVICE,
    )
    yield line(
        "policy",
        "",
        bool(get("policy_uri")),
        ("people can read its privacy policy", "people cannot read its privacy policy"),
        "client update ID --policy-uri URL",
        Severity.ADVICE,
    )


def _signed_requests(client: Checked) -> Iterator[Line]:
    get = client.metadata.get
    yield line(
        "signed-requests",
        "MS 5.3.1",
        bool(get("require_signed_request_object")),
        ("it signs its requests", "it may send requests that are not signed"),
        "client update ID --profile fapi2-message-signing",
    )
    alg = get("request_object_signing_alg")
    yield line(
        "request-object-algorithm",
        "MS 5.3.1",
        alg is None or alg in _FAPI_ALGS,
        ("request objects use PS256, ES256 or Ed25519", f"request objects are signed with {alg}"),
        "register another request_object_signing_alg",
    )


def _signed_responses(client: Checked) -> Iterator[Line]:
    get = client.metadata.get
    profile = PROFILES.get(get("profile", SECURITY_PROFILE))
    modes = get("response_modes") or (profile.response_modes if profile else ())
    yield line(
        "signed-responses",
        "MS 5.4.1",
        SIGNED_MODES.issuperset(modes),
        ("it is answered in JWTs (JARM)", "it may be answered in plain parameters"),
        "client update ID --profile fapi2-message-signing",
    )
    for member, what in (
        ("authorization_signed_response_alg", "authorization responses"),
        ("introspection_signed_response_alg", "introspection responses"),
    ):
        alg = get(member, "ES256")
        yield line(
            member.replace("_", "-"),
            "MS 5.4" if member.startswith("auth") else "MS 5.5",
            alg in _FAPI_ALGS,
            (f"{what} are signed with {alg}", f"{what} are signed with {alg}"),
            f"register ES256 as {member}",
        )


_SECURITY: Final[tuple[Rule, ...]] = (_profile, _authentication, _keys, _requests, _practice)
_MESSAGES: Final[tuple[Rule, ...]] = (_signed_requests, _signed_responses)
