"""JSON objects without duplicate member names, fast.

RFC 7515 section 4 and RFC 7519 section 4 let a reader refuse duplicate names or take the last;
two readers that choose differently can be played against each other, so we refuse.
"""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

import orjson

MAX_LEVELS = 254
"""How deep our encoder goes: what was read can be written again."""


def loads(raw: bytes) -> dict[str, Any]:
    """Return the object in ``raw`` (UTF-8).

    Raises:
        ValueError: not JSON (NaN and infinities included), not an object, objects and arrays inside
            each other on more than ``MAX_LEVELS`` levels, or a member name occurs twice at one.
    """
    value = orjson.loads(raw)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if not _is_plain(value, raw):
        if is_deeper(value, MAX_LEVELS):
            raise ValueError("nested too deep")
        _refuse_duplicates(raw)
    return value


def dumps(value: Mapping[str, Any]) -> bytes:
    """Return compact UTF-8 JSON in the order of the members.

    Raises:
        ValueError: a number is not finite (JSON cannot say it, and the encoder would write null).
        TypeError: a value has no JSON form.
    """
    raw = orjson.dumps(value if isinstance(value, dict) else dict(value))
    if b"null" in raw:
        _refuse_non_finite(value)
    return raw


def is_deeper(value: object, levels: int) -> bool:
    """Whether objects and arrays stand inside each other on more than so many levels.

    What can be read may be too deep to be written again (``orjson`` goes 1024 levels in and 254
    out): what a stranger sends and we keep needs a bound of its own.
    """
    if isinstance(value, dict):
        members = list(value.values())
    elif isinstance(value, list):
        members = value
    else:
        return False
    return levels == 0 or any(is_deeper(one, levels - 1) for one in members)


def _is_plain(value: dict[str, Any], raw: bytes) -> bool:
    # If writing what was read gives the same bytes, no member was dropped on the way. That holds
    # for nearly all tokens and costs a microsecond; the rest (spaces, escapes) is read again.
    try:
        return orjson.dumps(value) == raw
    except TypeError:  # nested deeper than the encoder goes
        return False


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member name occurs twice")


def _no_number(_: str) -> None:
    return None


def _refuse_duplicates(raw: bytes) -> None:
    json.loads(raw, object_pairs_hook=_unique, parse_int=_no_number, parse_float=_no_number)


def _refuse_non_finite(value: object) -> None:
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("a number is not finite")
    if isinstance(value, Mapping):
        for member in value.values():
            _refuse_non_finite(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _refuse_non_finite(member)
