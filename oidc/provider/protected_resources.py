"""RFC 9728: metadata of our own protected resources, and the pointer to it in challenges."""

from typing import Any
from urllib.parse import urlsplit

from oidc.documents import Document
from oidc.dpop import ALGORITHMS
from oidc.errors import OAuthError
from oidc.provider.context import ProviderConfig
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def metadata_path(config: ProviderConfig, path: str) -> str:
    """The path of a resource's document: the well-known name is inserted (RFC 9728 3.1)."""
    return WELL_KNOWN + urlsplit(config.url(path)).path


def metadata_url(config: ProviderConfig, path: str) -> str:
    """The URL of a resource's document."""
    parts = urlsplit(config.issuer)
    return f"{parts.scheme}://{parts.netloc}{metadata_path(config, path)}"


def point_to_metadata(error: OAuthError, url: str) -> None:
    """Add the document's URL to a challenge, if the error has one (RFC 9728 5.1)."""
    challenge = error.headers.get("WWW-Authenticate")
    if challenge is None:
        return
    # Without credentials the challenge is a bare list of schemes; each needs its own parameter.
    schemes = challenge.split(", ") if "=" not in challenge else None
    if schemes is None:
        pointed = f'{challenge}, resource_metadata="{url}"'
    else:
        pointed = ", ".join(f'{scheme} resource_metadata="{url}"' for scheme in schemes)
    error.headers["WWW-Authenticate"] = pointed


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
