"""SD-JWT VC type metadata (SD-JWT VC, section 5), one document per ``vct``, served at that URL."""

from typing import Any
from urllib.parse import urlsplit

from oidc.documents import Document
from oidc.errors import InvalidRequest, OAuthError
from oidc.issuer.context import Issuer
from oidc.issuer.type_description import TypeDescription
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error


def type_metadata(description: TypeDescription) -> dict[str, Any]:
    """The document of one type: displays, and for each claim whether it can be withheld."""
    return {
        "vct": description.vct,
        "name": description.names["en"],
        "description": description.descriptions["en"],
        "display": [
            {"locale": tag, "name": name, "description": description.descriptions[tag]}
            for tag, name in description.names.items()
        ],
        "claims": [
            {
                "path": list(claim.path),
                "display": [{"locale": tag, "label": text} for tag, text in claim.labels.items()],
                "mandatory": claim.mandatory,
                "sd": "always" if claim.disclosable else "never",
            }
            for claim in description.claims
        ],
    }


class TypeMetadataEndpoint:
    """GET at the path of a ``vct``, matched by the end of the request's path."""

    def __init__(self, issuer: Issuer) -> None:
        config = issuer.config
        current = (one.description for one in config.configurations.values())
        self._documents = {
            _last_two(urlsplit(one.vct).path): Document(type_metadata(one))
            for one in (*config.earlier, *current)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET", "HEAD")
            document = self._documents.get(_last_two(scope["path"]))
            if document is None:
                raise InvalidRequest("there is no credential type of that name", status=404)
        except OAuthError as error:
            await send_error(send, error)
            return
        await document.send(scope, send)


def _last_two(path: str) -> tuple[str, ...]:
    """Type and version: the last two segments of ``…/vct/{type}/{version}``."""
    return tuple(path.split("/")[-2:])
