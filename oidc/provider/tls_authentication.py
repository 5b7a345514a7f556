"""Client authentication by TLS certificate, and tokens that are bound to one (RFC 8705 2 and 3)."""

from keys.jwk import JwkSet
from oidc.client_certificate import ClientCertificate, certificate_thumbprints
from oidc.errors import InvalidClient, InvalidRequest
from oidc.mutual_tls import SELF_SIGNED, TLS_CLIENT_AUTH, CertificateRefused
from oidc.provider.context import Provider
from oidc.records import Client
from oidc.request import Scope


def presented(scope: Scope, provider: Provider) -> ClientCertificate | None:
    """The client certificate of the request, or None.

    Raises:
        InvalidClient: it came in a way that does not count, or cannot be read.
    """
    mutual_tls = provider.mutual_tls
    if mutual_tls is None:
        return None
    try:
        return mutual_tls.read(scope)
    except CertificateRefused as error:
        raise InvalidClient(error.description) from None


async def proves(certificate: ClientCertificate, client: Client, provider: Provider) -> bool:
    """Whether the certificate authenticates the client by the method that it registered."""
    now = provider.clock()
    mutual_tls = provider.mutual_tls
    if mutual_tls is None or not certificate.is_in_force(now):
        return False
    if client.token_endpoint_auth_method == SELF_SIGNED:
        return await _is_registered(certificate.thumbprint, client, provider)
    if client.token_endpoint_auth_method != TLS_CLIENT_AUTH or client.tls_client_auth is None:
        return False
    # First the cheap question; who vouches for it costs signatures.
    return certificate.is_expected(*client.tls_client_auth) and mutual_tls.is_vouched_for(
        certificate, now
    )


async def _is_registered(thumbprint: str, client: Client, provider: Provider) -> bool:
    """Whether a certificate is in the client's key set (RFC 8705 2.2.2), wherever that is."""
    if client.jwks_uri is None:
        return thumbprint in _thumbprints(client.jwks)
    keys = provider.client_keys
    # Asked for by a name that no key has, they are fetched anew, as often as that is permitted.
    return thumbprint in _thumbprints(await keys.of(client)) or (
        thumbprint in _thumbprints(await keys.of(client, thumbprint))
    )


def _thumbprints(keys: JwkSet | None) -> frozenset[str]:
    if keys is None:
        return frozenset()
    return frozenset(one for key in keys.keys for one in certificate_thumbprints(key.jwk))


def thumbprint_to_bind(scope: Scope, provider: Provider) -> str:
    """The certificate that an access token is to be bound to (RFC 8705 3).

    Raises:
        InvalidClient: it came in a way that does not count, or cannot be read.
        InvalidRequest: there is none.
    """
    certificate = presented(scope, provider)
    if certificate is None:
        raise InvalidRequest("a client certificate is needed: this client's tokens are bound to it")
    return certificate.thumbprint
