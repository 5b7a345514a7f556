"""What is signed and encrypted between a relying party and us, as it registers it: pure.

The names are those of RFC 9101, OpenID Connect Registration, JARM and FAPI 2.0 Message Signing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import urlsplit

from corpid.domain.errors import InvalidValue
from keys import jwe
from keys.errors import UnknownKey
from keys.jwk import JwkSet
from oidc.profiles import Profile

MAX_REQUEST_URIS: Final = 20
MAX_URI: Final = 512  # OpenID Connect Core 6.2


@dataclass(frozen=True, slots=True)
class Signing:
    """What somebody wants to register; ``check`` says whether it may be. None is the default.

    ``response_modes``: all of the profile's. ``request_object_signing_alg``: any of the profile's.
    """

    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    request_uris: tuple[str, ...] = ()
    response_modes: tuple[str, ...] | None = None
    authorization_signed_response_alg: str = "ES256"
    introspection_signed_response_alg: str = "ES256"
    userinfo_signed_response_alg: str | None = None
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> "Signing":
        """From members of these very names; what is not there has its default."""
        given = {one.name: members[one.name] for one in fields(cls) if one.name in members}
        lists = {name: tuple(one) for name, one in given.items() if isinstance(one, list)}
        return cls(**{**given, **lists})


def check(
    wanted: Signing, profile: Profile, keys: JwkSet | None, *, keys_elsewhere: bool = False
) -> None:
    """Check it against the profile, and the client's public keys (None when it has none).

    ``keys_elsewhere`` says that they are at an address, where they may change at any time.

    Raises:
        InvalidValue: something may not be registered like this, and what to do.
    """
    _check_requests(wanted, profile, keys, keys_elsewhere)
    _check_request_uris(wanted, profile)
    modes = wanted.response_modes
    if modes is not None and (not modes or not profile.response_modes.issuperset(modes)):
        allowed = ", ".join(sorted(profile.response_modes))
        raise InvalidValue(f"response modes of the profile {profile.name} are {allowed}")
    _check_ours(wanted.authorization_signed_response_alg, profile, "authorization responses")
    _check_ours(wanted.introspection_signed_response_alg, profile, "introspection responses")
    if wanted.userinfo_signed_response_alg is not None:
        _check_ours(wanted.userinfo_signed_response_alg, profile, "UserInfo responses")
    for alg, enc in (
        (wanted.id_token_encrypted_response_alg, wanted.id_token_encrypted_response_enc),
        (wanted.userinfo_encrypted_response_alg, wanted.userinfo_encrypted_response_enc),
    ):
        _check_encryption(alg, enc, keys, keys_elsewhere)
    if wanted.userinfo_encrypted_response_alg and not wanted.userinfo_signed_response_alg:
        raise InvalidValue("what is encrypted is signed first: name a UserInfo algorithm too")


def as_metadata(wanted: Signing, profile: Profile) -> dict[str, Any]:
    """The part of the metadata to store; what is None is left out."""
    modes = wanted.response_modes
    return {
        "request_object_signing_alg": wanted.request_object_signing_alg,
        "require_signed_request_object": (
            wanted.require_signed_request_object or profile.signed_requests_required
        ),
        "request_uris": list(dict.fromkeys(wanted.request_uris)) or None,
        "response_modes": None if modes is None else list(dict.fromkeys(modes)),
        "authorization_signed_response_alg": wanted.authorization_signed_response_alg,
        "introspection_signed_response_alg": wanted.introspection_signed_response_alg,
        "userinfo_signed_response_alg": wanted.userinfo_signed_response_alg,
        "id_token_encrypted_response_alg": wanted.id_token_encrypted_response_alg,
        "id_token_encrypted_response_enc": _enc(
            wanted.id_token_encrypted_response_alg, wanted.id_token_encrypted_response_enc
        ),
        "userinfo_encrypted_response_alg": wanted.userinfo_encrypted_response_alg,
        "userinfo_encrypted_response_enc": _enc(
            wanted.userinfo_encrypted_response_alg, wanted.userinfo_encrypted_response_enc
        ),
    }


def _enc(alg: str | None, enc: str | None) -> str | None:
    return enc if alg is None or enc is not None else jwe.DEFAULT_ENC


def _check_requests(
    wanted: Signing, profile: Profile, keys: JwkSet | None, keys_elsewhere: bool
) -> None:
    alg = wanted.request_object_signing_alg
    if alg is not None and alg not in profile.assertion_algs:
        allowed = ", ".join(sorted(profile.assertion_algs))
        raise InvalidValue(f"request objects of the profile {profile.name} use {allowed}")
    signs = (
        wanted.require_signed_request_object
        or profile.signed_requests_required
        or wanted.request_uris
    )
    if keys_elsewhere or (alg is None and not signs):
        return
    usable = profile.assertion_algs if alg is None else frozenset({alg})
    if keys is None or not any(key.algs & usable for key in keys.keys):
        raise InvalidValue(
            "signed request objects need a public key of the client that can be used with "
            + " or ".join(sorted(usable))
        )


def _check_request_uris(wanted: Signing, profile: Profile) -> None:
    """OpenID Connect Core 6.2: where we may fetch request objects from, and nowhere else."""
    if wanted.request_uris and profile.pushed_requests_required:
        raise InvalidValue(f"clients of the profile {profile.name} push their requests")
    if len(wanted.request_uris) > MAX_REQUEST_URIS:
        raise InvalidValue(f"a client has at most {MAX_REQUEST_URIS} request URIs")
    for uri in wanted.request_uris:
        if not _is_fetchable(uri):
            raise InvalidValue(f"the request URI {uri!a} is not of the form https://host/path")


def _is_fetchable(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = len(uri) <= MAX_URI and uri.isascii() and uri.isprintable() and " " not in uri
    return plain and parts.scheme == "https" and bool(host) and parts.username is None


def _check_encryption(
    alg: str | None, enc: str | None, keys: JwkSet | None, keys_elsewhere: bool
) -> None:
    if alg is None:
        if enc is not None:
            raise InvalidValue("a content encryption needs a key encryption beside it")
        return
    if alg not in jwe.ALGS:
        raise InvalidValue(f"keys are encrypted with {', '.join(jwe.ALGS)}")
    if enc is not None and enc not in jwe.ENCS:
        raise InvalidValue(f"content is encrypted with {', '.join(jwe.ENCS)}")
    if keys_elsewhere:
        return  # which key it is for is seen when something is encrypted
    try:
        if keys is None:
            raise UnknownKey("there are no keys")
        jwe.choose_key(keys, alg)
    except UnknownKey:
        raise InvalidValue(
            f"encryption with {alg} needs a public key of the client with use enc, of the "
            "right type (EC P-256 or P-384, RSA for RSA-OAEP-256)"
        ) from None


def _check_ours(alg: str, profile: Profile, what: str) -> None:
    if alg not in profile.id_token_algs:
        allowed = ", ".join(sorted(profile.id_token_algs))
        raise InvalidValue(f"{what} of the profile {profile.name} are signed with {allowed}")
