"""RFC 9728: metadata of our own protected resources."""

from typing import Any
from urllib.parse import urlsplit

from oidc.documents import Document
from oidc.dpop import ALGORITHMS
from oidc.errors import OAuthError
from oidc.protected_resource import resource_metadata_url
from oidc.provider.context import ProviderConfig
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error


def metadata_path(config: ProviderConfig, path: str) -> str:
    """The path of a resource's document: the well-known name is inserted (RFC 9728 3.1)."""
    return urlsplit(metadata_url(config, path)).path


def metadata_url(config: ProviderConfig, path: str) -> str:
    """The URL of a resource's document."""
    return resource_metadata_url(config.url(path))


def resource_metadata(
    config: ProviderConfig, path: str, scopes: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The document of the protected resource at ``path`` below the issuer."""
    document: dict[str, Any] = {
        "resource": config.url(path),
        "authorization_servers": [config.issuer],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": sorted(ALGORITHMS),
        "dpop_bound_access_tokens_required": False,
        "tls_client_certificate_bound_access_tokens": config.mutual_tls is not None,
    }
    if scopes:
        document["scopes_supported"] = list(scopes)
    return document


class ResourceMetadataEndpoint:
    """GET …/.well-known/oauth-protected-resource/…: one endpoint for each resource."""

    def __init__(self, config: ProviderConfig, path: str, scopes: tuple[str, ...] = ()) -> None:
        self._document = Document(resource_metadata(config, path, scopes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET", "HEAD")
        except OAuthError as error:
            await send_error(send, error)
        else:
            await self._document.send(scope, send)
