"""What is signed between a relying party and us, as it registers it: pure, without the database.

The names are those of RFC 9101, OpenID Connect Registration, JARM and FAPI 2.0 Message Signing.
"""

from dataclasses import dataclass
from typing import Any

from corpid.domain.errors import InvalidValue
from keys.jwk import JwkSet
from oidc.profiles import Profile


@dataclass(frozen=True, slots=True)
class Signing:
    """What somebody wants to register; ``check`` says whether it may be. None is the default.

    ``response_modes``: all of the profile's. ``request_object_signing_alg``: any of the profile's.
    """

    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    response_modes: tuple[str, ...] | None = None
    authorization_signed_response_alg: str = "ES256"


def check(wanted: Signing, profile: Profile, keys: JwkSet | None) -> None:
    """Check it against the profile, and the client's public keys (None when it has none).

    Raises:
        InvalidValue: something may not be registered like this, and what to do.
    """
    _check_requests(wanted, profile, keys)
    modes = wanted.response_modes
    if modes is not None and (not modes or not profile.response_modes.issuperset(modes)):
        allowed = ", ".join(sorted(profile.response_modes))
        raise InvalidValue(f"response modes of the profile {profile.name} are {allowed}")
    _check_ours(wanted.authorization_signed_response_alg, profile, "authorization responses")


def as_metadata(wanted: Signing, profile: Profile) -> dict[str, Any]:
    """The part of the metadata to store; what is None is left out."""
    modes = wanted.response_modes
    return {
        "request_object_signing_alg": wanted.request_object_signing_alg,
        "require_signed_request_object": (
            wanted.require_signed_request_object or profile.signed_requests_required
        ),
        "response_modes": None if modes is None else list(dict.fromkeys(modes)),
        "authorization_signed_response_alg": wanted.authorization_signed_response_alg,
    }


def _check_requests(wanted: Signing, profile: Profile, keys: JwkSet | None) -> None:
    alg = wanted.request_object_signing_alg
    if alg is not None and alg not in profile.assertion_algs:
        allowed = ", ".join(sorted(profile.assertion_algs))
        raise InvalidValue(f"request objects of the profile {profile.name} use {allowed}")
    signs = wanted.require_signed_request_object or profile.signed_requests_required
    if alg is None and not signs:
        return
    usable = profile.assertion_algs if alg is None else frozenset({alg})
    if keys is None or not any(key.algs & usable for key in keys.keys):
        raise InvalidValue(
            "signed request objects need a public key of the client that can be used with "
            + " or ".join(sorted(usable))
        )


def _check_ours(alg: str, profile: Profile, what: str) -> None:
    if alg not in profile.id_token_algs:
        allowed = ", ".join(sorted(profile.id_token_algs))
        raise InvalidValue(f"{what} of the profile {profile.name} are signed with {allowed}")
