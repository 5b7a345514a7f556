"""Reading a credential request (OpenID4VCI 1.0, 8.2) and what its access token allows."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import orjson

from keys.record import record
from oidc.errors import (
    InsufficientScope,
    InvalidCredentialRequest,
    InvalidProof,
    InvalidRequest,
    UnknownCredentialConfiguration,
    UnknownCredentialIdentifier,
)
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.encryption import MAX_BYTES, MEDIA_TYPE, EncryptionPolicy, Message, opened
from oidc.issuer.ports import IssuerKeys
from oidc.records import AccessToken, Grant
from oidc.request import Receive, Scope, header_values, read_body, read_json

DETAILS_TYPE: Final = "openid_credential"
JWT: Final = "jwt"
ATTESTATION: Final = "attestation"
_ENCRYPTED: Final = MEDIA_TYPE.encode()
_Configurations = Mapping[str, CredentialConfiguration]


@record
class Proofs:
    """The ``proofs`` of a request: all of one type (8.2), unverified."""

    proof_type: str
    values: tuple[str, ...]


async def read_request(
    scope: Scope, receive: Receive, policy: EncryptionPolicy | None, keys: IssuerKeys
) -> Message:
    """The parameters of the request, opened where it is encrypted (10).

    Raises:
        InvalidEncryptionParameters: the encryption is not as it must be, or not offered.
        InvalidCredentialRequest: it is not a JSON object.
    """
    content_type = header_values(scope, b"content-type")
    try:
        if content_type and content_type[0].split(b";", 1)[0].strip().lower() == _ENCRYPTED:
            body = await read_body(receive, MAX_BYTES)
            return Message(opened(body, policy, keys), encrypted=True)
        return Message(await read_json(scope, receive), encrypted=False)
    except InvalidRequest as error:
        # 8.3.1.2: the endpoint's own code is preferred over invalid_request.
        raise InvalidCredentialRequest(error.description) from None


def requested_configuration(
    body: Mapping[str, Any], configurations: _Configurations, token: AccessToken, grant: Grant
) -> CredentialConfiguration:
    """Which credential is asked for, if the access token allows it.

    Raises:
        InvalidCredentialRequest: not exactly one of the two parameters, or the wrong one.
        UnknownCredentialConfiguration, UnknownCredentialIdentifier: no such thing.
        InsufficientScope: the token is for other credentials (RFC 6750 3.1).
    """
    name = body.get("credential_configuration_id")
    identifier = body.get("credential_identifier")
    if name is None and identifier is None and "format" in body:
        raise InvalidCredentialRequest(
            "format is of an older draft: name the credential by credential_configuration_id"
        )
    if (name is None) == (identifier is None):
        raise InvalidCredentialRequest(
            "send exactly one of credential_configuration_id and credential_identifier"
        )
    allowed, identifiers = _allowed(configurations, token, grant)
    if identifier is not None:
        if not isinstance(identifier, str) or identifier not in identifiers:
            raise UnknownCredentialIdentifier("this access token has no such credential_identifier")
        return configurations[identifiers[identifier]]
    configuration = configurations.get(name) if isinstance(name, str) else None
    if configuration is None:
        raise UnknownCredentialConfiguration(
            "this credential_configuration_id is not in the credential issuer metadata"
        )
    if configuration.configuration_id in identifiers.values():
        raise InvalidCredentialRequest(
            "use the credential_identifier that came with the access token"
        )
    _require_allowed(configuration, allowed, token)
    return configuration


def dataset_of(configuration: CredentialConfiguration, grant: Grant) -> str:
    """What a grant's credential of that configuration is about, as text to compare."""
    named = [
        one
        for detail in grant.authorization_details
        if detail.get("credential_configuration_id") == configuration.configuration_id
        for one in detail.get("credential_identifiers", ())
    ]
    return orjson.dumps([grant.authority, *sorted(named)]).decode()


def require_covered(
    configuration: CredentialConfiguration,
    configurations: _Configurations,
    token: AccessToken,
    grant: Grant,
) -> None:
    """Refuse an access token that is not for this credential.

    Raises:
        InsufficientScope: it is for others (RFC 6750 3.1).
    """
    allowed, _ = _allowed(configurations, token, grant)
    _require_allowed(configuration, allowed, token)


def _require_allowed(
    configuration: CredentialConfiguration, allowed: Collection[str], token: AccessToken
) -> None:
    if configuration.configuration_id not in allowed:
        raise InsufficientScope(
            "the access token does not cover this credential",
            headers={
                "WWW-Authenticate": (
                    f'{"DPoP" if token.jkt else "Bearer"} error="insufficient_scope", '
                    f'scope="{configuration.scope}"'
                )
            },
        )


def _allowed(
    configurations: _Configurations, token: AccessToken, grant: Grant
) -> tuple[set[str], dict[str, str]]:
    """Configuration ids that the token covers, and credential identifiers with theirs.

    A scope covers its configuration; so does an ``openid_credential`` authorization detail
    (5.1.1), which may have come with identifiers of its own.
    """
    allowed = {name for name, one in configurations.items() if one.scope in token.scope}
    identifiers: dict[str, str] = {}
    for detail in grant.authorization_details:
        name = detail.get("credential_configuration_id")
        if (
            detail.get("type") != DETAILS_TYPE
            or not isinstance(name, str)
            or name not in configurations
        ):
            continue
        allowed.add(name)
        identifiers |= dict.fromkeys(detail.get("credential_identifiers", ()), name)
    return allowed, identifiers


def requested_proofs(
    body: Mapping[str, Any], supported: Collection[str] = (JWT,), batch_size: int = 1
) -> Proofs:
    """The proofs of the request, of one of the types that are supported, at most ``batch_size``.

    Raises:
        InvalidProof: ``proofs`` is missing.
        InvalidCredentialRequest: it has another form than proofs of one such type, or too many.
    """
    proofs = body.get("proofs")
    if proofs is None:
        if "proof" in body:
            raise InvalidProof('proof is of an older draft: send proofs, as {"jwt": [proof]}')
        raise InvalidProof("proofs is missing: this credential is bound to a key")
    if not isinstance(proofs, dict) or len(proofs) != 1:
        raise InvalidCredentialRequest("proofs is an object with exactly one member")
    ((proof_type, values),) = proofs.items()
    if proof_type not in supported:
        raise InvalidCredentialRequest(f"the proof types supported are {', '.join(supported)}")
    if (
        not isinstance(values, list)
        or not all(isinstance(one, str) for one in values)
        or not values
    ):
        raise InvalidProof(f"proofs.{proof_type} is an array of compact JWTs")
    if len(values) > 1 and proof_type == ATTESTATION:
        raise InvalidProof("proofs.attestation is an array with exactly one compact JWT")
    if len(values) > batch_size:
        raise InvalidCredentialRequest(f"a request has at most {batch_size} proofs (batch_size)")
    return Proofs(proof_type, tuple(values))
