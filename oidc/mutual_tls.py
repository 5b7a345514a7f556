"""Client certificates behind a proxy that terminates TLS (RFC 8705, RFC 9440).

The proxy saw the certificate in the handshake, where the client proved that it has the key, and
hands it over in a header. Anybody can write a header: it counts only from the proxies that are
named in the settings, and is refused from anybody else.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal
from urllib.parse import unquote_to_bytes, urlsplit

from cryptography import x509
from cryptography.x509 import verification

from oidc.client_certificate import ClientCertificate, UnusableCertificate, read_certificate
from oidc.request import Scope, header_values

TLS_CLIENT_AUTH: Final = "tls_client_auth"
SELF_SIGNED: Final = "self_signed_tls_client_auth"
METHODS: Final = frozenset({TLS_CLIENT_AUTH, SELF_SIGNED})

Form = Literal["rfc9440", "urlencoded-pem"]
Network = IPv4Network | IPv6Network
MAX_HEADER_BYTES: Final = 16 * 1024
_CACHED: Final = 512
_PEM: Final = re.compile(
    rb"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*"
)


class CertificateRefused(Exception):
    """A certificate came in a way that does not count, or cannot be read. For the developer."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class MutualTls:
    """How client certificates come, and which are believed.

    ``header`` is the header's name and ``form`` how the certificate is written in it: RFC 9440's
    byte sequence, or PEM, percent-encoded. ``proxies`` are the peers that may send it.
    ``authorities`` vouch for the certificates of ``tls_client_auth``; without them that method
    does not exist. ``origin`` is the scheme and host where the proxy asks clients for certificates,
    if that is another than the issuer's.
    """

    def __init__(
        self,
        header: str,
        form: Form,
        proxies: Iterable[Network],
        *,
        authorities: Iterable[x509.Certificate] = (),
        origin: str | None = None,
    ) -> None:
        self.origin = origin
        self._header = header.lower().encode("ascii")
        self._proxies = tuple(proxies)
        self._store = _store_of(tuple(authorities))
        self._is_proxy = lru_cache(maxsize=_CACHED)(self._look_up)
        self._decoded = lru_cache(maxsize=_CACHED)(
            _from_rfc9440 if form == "rfc9440" else _from_pem
        )
        self._vouched: dict[str, float] = {}

    @property
    def methods(self) -> frozenset[str]:
        """The methods of client authentication that work with it."""
        return METHODS if self._store is not None else METHODS - {TLS_CLIENT_AUTH}

    def alias(self, url: str) -> str | None:
        """Where the endpoint at ``url`` also is, for clients with certificates (RFC 8705 5)."""
        return None if self.origin is None else self.origin + urlsplit(url).path

    def read(self, scope: Scope) -> ClientCertificate | None:
        """The client certificate of a request, or None.

        Raises:
            CertificateRefused: it did not come from a proxy of ours, is repeated, or unreadable.
        """
        values = header_values(scope, self._header)
        if not values or (len(values) == 1 and not values[0].strip()):
            return None
        peer = scope.get("client")
        if peer is None or not self._is_proxy(peer[0]):
            raise CertificateRefused("a client certificate counts only from the service's proxy")
        if len(values) > 1:
            raise CertificateRefused("the client certificate is repeated")
        if len(values[0]) > MAX_HEADER_BYTES:
            raise CertificateRefused("the client certificate is too large")
        try:
            return self._decoded(values[0])
        except UnusableCertificate as error:
            raise CertificateRefused(str(error)) from None

    def is_vouched_for(self, presented: ClientCertificate, now: float) -> bool:
        """Whether one of the authorities issued it for clients, and all is in force ``now``."""
        if self._store is None:
            return False
        if now < self._vouched.get(presented.thumbprint, 0) and presented.is_in_force(now):
            return True
        chain = _chain(self._store, presented.certificate, now)
        if chain is None:
            return False
        if len(self._vouched) >= _CACHED:
            del self._vouched[next(iter(self._vouched))]
        until = min(one.not_valid_after_utc.timestamp() for one in chain)
        self._vouched[presented.thumbprint] = until
        return True

    def _look_up(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._proxies)


def _from_rfc9440(value: bytes) -> ClientCertificate:
    """RFC 9440 2.2: a byte sequence of RFC 8941 3.3.5."""
    text = value.strip(b" \t")
    if len(text) < 2 or text[:1] != b":" or text[-1:] != b":":
        raise UnusableCertificate("the client certificate is not a byte sequence (RFC 9440)")
    return read_certificate(_from_base64(text[1:-1]))


def _from_pem(value: bytes) -> ClientCertificate:
    """PEM, percent-encoded, as nginx writes it in $ssl_client_escaped_cert."""
    found = _PEM.fullmatch(unquote_to_bytes(value))
    if found is None:
        raise UnusableCertificate("the client certificate is not one certificate in PEM")
    return read_certificate(_from_base64(b"".join(found[1].split())))


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnusableCertificate("the client certificate is not base64") from None


def _store_of(authorities: tuple[x509.Certificate, ...]) -> verification.Store | None:
    return verification.Store(list(authorities)) if authorities else None


def _chain(
    store: verification.Store, certificate: x509.Certificate, now: float
) -> list[x509.Certificate] | None:
    """RFC 5280 6, for an end entity that is a TLS client; it may have a subject alone."""
    optional = verification.Criticality.AGNOSTIC
    end_entity = verification.ExtensionPolicy.webpki_defaults_ee().may_be_present(
        x509.SubjectAlternativeName, optional, None
    )
    authority = verification.ExtensionPolicy.webpki_defaults_ca().may_be_present(
        x509.KeyUsage, optional, _signs_certificates
    )
    builder = (
        verification.PolicyBuilder()
        .store(store)
        .time(datetime.fromtimestamp(now, UTC).replace(tzinfo=None))
        .extension_policies(ca_policy=authority, ee_policy=end_entity)
    )
    try:
        return builder.build_client_verifier().verify(certificate, []).chain
    except verification.VerificationError:
        return None


def _signs_certificates(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("not a key that signs certificates")
