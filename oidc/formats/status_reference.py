"""Where a token says that its status is kept (Token Status List, section 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oidc.formats.errors import MalformedStatusReference


@dataclass(frozen=True, slots=True)
class StatusReference:
    """An entry of a status list: the list's URI and the index in it."""

    uri: str
    index: int

    def claim(self) -> dict[str, Any]:
        """Return the value of the `status` claim."""
        return {"status_list": {"idx": self.index, "uri": self.uri}}


def status_reference(claims: Mapping[str, Any]) -> StatusReference | None:
    """Read the `status` claim; None when there is none, or none of the status list kind.

    Raises MalformedStatusReference.
    """
    status = claims.get("status")
    if status is None:
        return None
    if not isinstance(status, Mapping):
        raise MalformedStatusReference("status is not an object")
    if "status_list" not in status:
        return None
    entry = status["status_list"]
    if not isinstance(entry, Mapping):
        raise MalformedStatusReference("status_list is not an object")
    index, uri = entry.get("idx"), entry.get("uri")
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise MalformedStatusReference("idx is not a whole number from zero")
    if not isinstance(uri, str) or not uri:
        raise MalformedStatusReference("uri is not text")
    return StatusReference(uri=uri, index=index)
