"""What an operator asks to be issued: one row of a file, or one command."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import orjson

from corpid.domain.errors import InvalidValue

_MOST: Final = 200
"""Characters of a name or number; a proof, a key and nothing else is longer."""


@dataclass(frozen=True, slots=True)
class IssuanceRequest:
    """Who gets what, and how it is known whose key it is.

    ``organisation`` is a registration number, ``type`` a credential configuration's id, ``person``
    a username or internal id. Exactly one of ``proof`` (a key proof of the wallet, a compact JWT),
    ``jwk`` (a public key, by the operator's word) and ``offer`` (the wallet proves its key when it
    redeems the offer) is there.
    """

    organisation: str
    type: str
    person: str | None = None
    authority: str | None = None
    branch: str | None = None
    proof: str | None = None
    jwk: Mapping[str, Any] | None = None
    offer: bool = False

    def __post_init__(self) -> None:
        ways = (self.proof is not None, self.jwk is not None, self.offer)
        if sum(ways) != 1:
            raise InvalidValue("name exactly one of proof, jwk and offer")


_NAMES: Final = tuple(one.name for one in fields(IssuanceRequest))
_TEXTS: Final = ("organisation", "type", "person", "authority", "branch")


def read_request(row: Mapping[str, Any]) -> IssuanceRequest:
    """A row of a file: JSON, or text as CSV has it, where an empty field is one that is not there.

    Raises:
        InvalidValue: it has something else, or lacks something, and what.
    """
    given = {name: value for name, value in row.items() if value not in (None, "")}
    unknown = [name for name in given if name not in _NAMES]
    if unknown:
        raise InvalidValue(f"{str(unknown[0])[:40]!r} is none of {', '.join(_NAMES)}")
    for name in ("organisation", "type"):
        if name not in given:
            raise InvalidValue(f"{name} is missing")
    for name in _TEXTS:
        value = given.get(name, "")
        if not isinstance(value, str) or len(value) > _MOST:
            raise InvalidValue(f"{name} is text of at most {_MOST} characters")
    if not isinstance(given.get("proof", ""), str):
        raise InvalidValue("proof is a compact JWT")
    if "jwk" in given:
        given["jwk"] = _jwk(given["jwk"])
    if "offer" in given:
        given["offer"] = _yes(given["offer"])
    return IssuanceRequest(**given)


def _jwk(value: object) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            value = None
    if not isinstance(value, dict):
        raise InvalidValue("jwk is a JSON object")
    return value


def _yes(value: object) -> bool:
    if value in (True, "true", "yes"):
        return True
    if value in (False, "false", "no"):
        return False
    raise InvalidValue("offer is true or false")
