"""What a relying party registers about its TLS certificates (RFC 8705): pure, as all of the rest.

Whether the service can be reached with a certificate at all is a setting; a registration may come
before it.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from corpid.domain.errors import InvalidValue
from keys.errors import KeysError
from keys.jwk import JwkSet, PublicKey, public_members, thumbprint
from oidc.client_certificate import (
    UnusableCertificate,
    certificate_thumbprints,
    expected,
    read_certificate,
)
from oidc.mutual_tls import SELF_SIGNED, TLS_CLIENT_AUTH
from oidc.records import EXPECTATIONS


@dataclass(frozen=True, slots=True)
class Tls:
    """RFC 8705's client metadata. ``expectations`` are by their names there.

    ``bound_tokens`` binds access tokens to the certificate; ``aliases`` says that the client goes
    to the mtls_endpoint_aliases (FAPI 2.0, 5.2.2.1).
    """

    expectations: Mapping[str, str] = field(default_factory=dict)
    bound_tokens: bool = False
    aliases: bool = False


NO_TLS: Final = Tls()


def check(
    wanted: Tls, method: str, jwks: Mapping[str, Any] | None, *, keys_elsewhere: bool = False
) -> None:
    """Refuse what could never authenticate, or would in more than one way.

    ``keys_elsewhere`` says that the client publishes its keys, and certificates, itself.

    Raises:
        InvalidValue: and what to do.
    """
    unknown = set(wanted.expectations) - set(EXPECTATIONS)
    if unknown:
        raise InvalidValue(f"unknown certificate name {', '.join(sorted(unknown))}")
    if method == TLS_CLIENT_AUTH:
        if len(wanted.expectations) != 1:
            raise InvalidValue(
                f"{TLS_CLIENT_AUTH} needs exactly one of {', '.join(EXPECTATIONS)} (RFC 8705 2.1.2)"
            )
    elif wanted.expectations:
        raise InvalidValue(f"{', '.join(wanted.expectations)} goes with {TLS_CLIENT_AUTH} only")
    for name, value in wanted.expectations.items():
        try:
            expected(name, value)
        except ValueError as error:
            raise InvalidValue(f"{name} is not usable: {error}") from error
    if method == SELF_SIGNED and not keys_elsewhere:
        _check_certificates(jwks)


def _check_certificates(jwks: Mapping[str, Any] | None) -> None:
    if jwks is None:
        raise InvalidValue(f"{SELF_SIGNED} needs the client's certificate: a JWK Set with x5c")
    try:
        keys = JwkSet.parse(jwks).keys
    except KeysError as error:
        raise InvalidValue(f"the JWK Set is not usable: {error}") from error
    if not any(list(certificate_thumbprints(key.jwk)) for key in keys):
        raise InvalidValue(
            f"{SELF_SIGNED} needs a key with its certificate in x5c (RFC 8705 2.2.2)"
        )
    for key in keys:
        if "x5c" in key.jwk:
            _check_certificate(key)


def _check_certificate(key: PublicKey) -> None:
    """RFC 7517 4.7: the first certificate is the key's own."""
    chain = key.jwk["x5c"]
    try:
        first = chain[0] if isinstance(chain, list) and chain else ""
        found = read_certificate(base64.b64decode(first, validate=True)).certificate
        own = thumbprint(public_members(found.public_key()))  # type: ignore[arg-type]
    except (UnusableCertificate, ValueError, TypeError, KeysError) as error:
        raise InvalidValue(f"the certificate in x5c is not usable: {error}") from error
    if own != key.thumbprint:
        raise InvalidValue("the certificate in x5c is not the one of its key (RFC 7517 4.7)")


def jwks_of(pem: bytes) -> dict[str, Any]:
    """The JWK Set with one certificate, for ``self_signed_tls_client_auth``.

    Raises:
        InvalidValue: it is not a certificate in PEM that can be used.
    """
    if b"PRIVATE KEY" in pem:
        raise InvalidValue("this file holds a PRIVATE key: only the certificate is registered")
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        der = certificate.public_bytes(Encoding.DER)
        read_certificate(der)
        members = public_members(certificate.public_key())  # type: ignore[arg-type]
        kid = thumbprint(members)
    except (ValueError, KeysError) as error:
        raise InvalidValue(f"the certificate is not usable: {error}") from error
    return {"keys": [{**members, "kid": kid, "x5c": [base64.b64encode(der).decode("ascii")]}]}


def as_metadata(wanted: Tls) -> dict[str, Any]:
    """The members to store; None where there is nothing to say."""
    return {
        **wanted.expectations,
        "tls_client_certificate_bound_access_tokens": wanted.bound_tokens or None,
        "use_mtls_endpoint_aliases": wanted.aliases or None,
    }
