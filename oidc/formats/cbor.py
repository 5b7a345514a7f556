"""CBOR (RFC 8949), narrowed to what an mdoc is made of, and bounded.

The library is told to refuse indefinite lengths, duplicate map keys and deep nesting, and to leave
tags alone; what it gives is then looked through, so that nothing but the kinds below comes out,
whatever it may learn to decode one day.
"""

from io import BytesIO
from math import isfinite
from typing import Any, Final

import cbor2
from cbor2 import CBORTag as Tagged

from oidc.formats.mdoc_errors import CborTooLarge, MalformedCbor

__all__ = ["DATE", "DATE_TIME", "EMBEDDED", "MAX_BYTES", "Tagged", "decode", "embed", "encode"]

MAX_BYTES: Final = 256 * 1024
"""Bound of an encoded item, unless the caller gives another: a portrait fits."""
MAX_DEPTH: Final = 16

DATE_TIME: Final = 0
EMBEDDED: Final = 24
DATE: Final = 1004
"""Tags: a date and time, CBOR in a byte string (RFC 8949, 3.4), a full date (RFC 8943)."""

_CONTENT: Final = {DATE_TIME: str, EMBEDDED: bytes, DATE: str}
# Every tag for which the library has a decoder of its own (regular expressions and references to
# what came before among them): none runs.
_DECODED_BY_THE_LIBRARY: Final = (
    *range(1, 6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 43000, 55799,
)  # fmt: skip


def _plain(number: int) -> Any:
    return lambda content, _immutable: Tagged(number, content)


def _refused(_content: object, _immutable: bool) -> Any:
    raise ValueError("a tag that no mdoc has")


_TAGS: Final = dict.fromkeys(_DECODED_BY_THE_LIBRARY, _refused) | {
    number: _plain(number) for number in _CONTENT
}


def encode(value: object) -> bytes:
    """Return the deterministic encoding (RFC 8949, 4.2.1): maps sorted, lengths shortest."""
    return cbor2.dumps(value, canonical=True)


def embed(encoded: bytes) -> Tagged:
    """Return encoded CBOR as an item of its own, whose bytes no reader need encode anew."""
    return Tagged(EMBEDDED, encoded)


def decode(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Return the one item that `data` encodes: None, bool, int, float, str, bytes, list, dict with
    keys of int or str, or a `Tagged` date, date and time, or embedded item.

    Raises:
        CborTooLarge: more than `max_bytes`.
        MalformedCbor: anything else that is not as above.
    """
    if len(data) > max_bytes:
        raise CborTooLarge(f"more than {max_bytes} bytes")
    source = BytesIO(data)
    try:
        decoder = cbor2.CBORDecoder(
            source,
            semantic_decoders=_TAGS,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
        value = decoder.decode()
    except (cbor2.CBORDecodeError, ValueError, OverflowError, MemoryError) as error:
        raise MalformedCbor("not CBOR as an mdoc has it") from error
    try:
        decoder.read(1)
    except cbor2.CBORDecodeEOF:
        pass
    else:
        raise MalformedCbor("something follows the item")
    _check(value)
    return value


def _check(value: object) -> None:
    """Look through the value; its depth is bounded by the decoder."""
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return
    if isinstance(value, float):
        if not isfinite(value):
            raise MalformedCbor("a number is not finite")
    elif isinstance(value, list):
        for member in value:
            _check(member)
    elif isinstance(value, dict):
        for name, member in value.items():
            if isinstance(name, bool) or not isinstance(name, (int, str)):
                raise MalformedCbor("a map has keys of text or whole numbers")
            _check(member)
    elif not (isinstance(value, Tagged) and _is_content(value)):
        raise MalformedCbor("an item of a kind that no mdoc has")


def _is_content(tagged: Tagged) -> bool:
    kind = _CONTENT.get(tagged.tag)
    return kind is not None and isinstance(tagged.value, kind)
