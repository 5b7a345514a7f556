"""Roots and revocation lists of a development authority (RFC 5280 4.2.1.13, RFC 2585 4)."""

from typing import Final

from oidc.errors import InvalidRequest, OAuthError
from oidc.issuer.ports import PublishedCertificate, PublishedCertificates
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import Headers, send_bytes, send_error

_MAX_AGE: Final = 3600


class CertificatesEndpoint:
    """GET at ``…/pki/{file}``."""

    def __init__(self, certificates: PublishedCertificates) -> None:
        self._certificates = certificates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            found = self._find(scope)
        except OAuthError as error:
            await send_error(send, error)
            return
        headers: Headers = [
            (b"content-type", found.media_type.encode("ascii")),
            (b"cache-control", b"public, max-age=%d" % _MAX_AGE),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send_bytes(send, 200, headers, b"" if scope["method"] == "HEAD" else found.body)

    def _find(self, scope: Scope) -> PublishedCertificate:
        require_method(scope, "GET", "HEAD")
        name = str(scope["path"]).rpartition("/")[2]
        found = self._certificates.published_certificate(name)
        if found is None:
            raise InvalidRequest("there is no such certificate or revocation list", status=404)
        return found
