"""Distinguished names as text (RFC 4514) and in certificates, in one form that can be compared."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from cryptography import x509

DistinguishedName = tuple[frozenset[tuple[str, str]], ...]
"""The relative names in the certificate's order, each a set of (object identifier, value)."""

MAX_TEXT: Final = 2048
_KEYWORDS: Final = {
    "CN": "2.5.4.3",
    "SURNAME": "2.5.4.4",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "TITLE": "2.5.4.12",
    "BUSINESSCATEGORY": "2.5.4.15",
    "POSTALCODE": "2.5.4.17",
    "GIVENNAME": "2.5.4.42",
    "DNQUALIFIER": "2.5.4.46",
    "ORGANIZATIONIDENTIFIER": "2.5.4.97",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "EMAILADDRESS": "1.2.840.113549.1.9.1",
    "JURISDICTIONC": "1.3.6.1.4.1.311.60.2.1.3",
}
# ASN.1 string types of a value in hexadecimal (RFC 4514 2.4), and how each is read.
_STRING_TAGS: Final = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1E: "utf-16-be",
}
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def name_of(name: x509.Name) -> DistinguishedName:
    """A certificate's name."""
    return tuple(
        frozenset((one.oid.dotted_string, _comparable(_text_of(one.value))) for one in part)
        for part in name.rdns
    )


def parse_name(text: str) -> DistinguishedName:
    """A name as RFC 4514 writes it: the most specific part comes first.

    Attributes are known keywords or object identifiers. Blanks around separators are no part of
    the name, as in what most tools print.

    Raises:
        ValueError: it is not one; the message says what is wrong with it.
    """
    if not text.strip() or len(text) > MAX_TEXT:
        raise ValueError("it is empty or too long")
    parts: list[frozenset[tuple[str, str]]] = []
    for part in _split(text, ","):
        pairs = [_attribute(one) for one in _split(part, "+")]
        parts.append(frozenset(pairs))
    return tuple(reversed(parts))


def _split(text: str, separator: str) -> Iterator[str]:
    """Split at separators that no backslash precedes."""
    start = index = 0
    while index < len(text):
        if text[index] == "\\":
            index += 2
            continue
        if text[index] == separator:
            yield text[start:index]
            start = index + 1
        index += 1
    yield text[start:]


def _attribute(text: str) -> tuple[str, str]:
    keyword, equals, value = text.strip(" ").partition("=")
    keyword = keyword.strip(" ").upper().removeprefix("OID.")
    if not equals:
        raise ValueError(f"{text.strip()[:60]!r} is not of the form attribute=value")
    oid = _KEYWORDS.get(keyword, keyword)
    if not all(part.isdecimal() and part.isascii() for part in oid.split(".")) or "." not in oid:
        raise ValueError(
            f"the attribute {keyword[:60]!r} is not known: write its object identifier"
        )
    value = value.lstrip(" ")
    found = _from_hex(value) if value.startswith("#") else _unescaped(value)
    comparable = _comparable(found)
    if not comparable:
        raise ValueError(f"the attribute {keyword} has no value")
    return oid, comparable


def _unescaped(value: str) -> str:
    """Take the backslashes out (RFC 4514 3): before a character, or before two hex digits."""
    octets = bytearray()
    index = 0
    while index < len(value):
        character = value[index]
        if character != "\\":
            if character in '"<>;':
                raise ValueError(f"{character} needs a backslash before it")
            octets += character.encode()
            index += 1
        elif len(pair := value[index + 1 : index + 3]) == 2 and _HEX.issuperset(pair):
            octets.append(int(pair, 16))
            index += 3
        elif index + 1 < len(value):
            octets += value[index + 1].encode()
            index += 2
        else:
            raise ValueError("nothing follows the last backslash")
    return _decoded(bytes(octets), "utf-8")


def _from_hex(value: str) -> str:
    """A value as its DER encoding in hexadecimal, of one of the string types."""
    try:
        encoded = bytes.fromhex(value[1:].strip(" "))
    except ValueError:
        raise ValueError("what follows # is not hexadecimal") from None
    if len(encoded) < 2 or encoded[0] not in _STRING_TAGS or len(encoded) != 2 + encoded[1]:
        raise ValueError("what follows # is no short DER string")
    return _decoded(encoded[2:], _STRING_TAGS[encoded[0]])


def _decoded(octets: bytes, encoding: str) -> str:
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError:
        raise ValueError("a value is not text") from None


def _text_of(value: str | bytes) -> str:
    return value if isinstance(value, str) else f"#{value.hex()}"


def _comparable(value: str) -> str:
    """Case and the number of blanks do not count (RFC 5280 7.1, RFC 4518 2)."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
