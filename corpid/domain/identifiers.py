"""Internal ids: random, meaningless, and never shown to a relying party."""

import base64
from collections.abc import Callable

ID_BYTES = 16


def new_id(random: Callable[[int], bytes]) -> str:
    """A fresh id of 127 random bits as 22 characters of base64url, the first one a letter.

    A command line would take an id that begins with a hyphen for an option.
    """
    drawn = random(ID_BYTES)
    whole = bytes((drawn[0] & 0x7F,)) + drawn[1:]
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode("ascii")


def ordered_id(at_ms: int, random: Callable[[int], bytes]) -> bytes:
    """A fresh 16-byte id that sorts by time: 6 bytes of epoch milliseconds, then 10 random.

    For append-only tables: neighbours in time are neighbours on disk.
    """
    return at_ms.to_bytes(6, "big") + random(10)


def ordered_text_id(at_ms: int, random: Callable[[int], bytes]) -> str:
    """``ordered_id`` as 22 characters of base64url, the first one a letter.

    For what is added all the time and has several indexes: with a random id every row of every
    index would be written to another page.
    """
    return base64.urlsafe_b64encode(ordered_id(at_ms, random)).rstrip(b"=").decode("ascii")
