"""Base64url without padding, strict (RFC 7515 section 2, RFC 4648 sections 3.5 and 5)."""

import binascii

from keys.errors import MalformedEncoding

_TO_URL = bytes.maketrans(b"+/", b"-_")
# What stands in the other alphabet, or pads, becomes something that stands in none.
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/\0\0\0")
_PADDING = (b"", b"", b"==", b"=")
# By how many letters go beyond groups of four: the last of them says 4 or 2 bits too many, all 0.
_LAST = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")


def encode_bytes(data: bytes) -> bytes:
    """Return the encoding as ASCII bytes."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def encode(data: bytes) -> str:
    """Return the encoding as text."""
    return encode_bytes(data).decode("ascii")


def decode(text: str | bytes) -> bytes:
    """Return the bytes that ``text`` encodes.

    Raises:
        MalformedEncoding: padding, a letter outside the alphabet, an impossible length, or
            trailing bits that are not zero.
    """
    try:
        given = text.encode("ascii") if isinstance(text, str) else text
        beyond = len(given) & 3
        data = binascii.a2b_base64(given.translate(_FROM_URL) + _PADDING[beyond], strict_mode=True)
    except ValueError as error:  # binascii.Error and UnicodeEncodeError are both ValueErrors
        raise MalformedEncoding("not base64url") from error
    # The decoder ignores trailing bits; only one text encodes the data (RFC 4648 section 3.5).
    if beyond and given[-1] not in _LAST[beyond]:
        raise MalformedEncoding("not canonical base64url without padding")
    return data
