"""Status lists: one small number per issued token, in one compressed string of bits.

Token Status List, section 4: index 0 is in the least significant bits of byte 0, and the bytes
are a zlib stream. (W3C bitstring lists count from the other end and use gzip: not these.)
"""

import zlib
from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from keys.base64url import decode, encode
from keys.errors import MalformedEncoding
from oidc.formats.errors import MalformedStatusList, StatusIndexOutOfRange, StatusListTooLarge

MAX_LIST_BYTES = 16 * 1024 * 1024  # 134 million entries of one bit
_PART_BYTES = 1 << 16
_SPARSE, _DENSE = 0.004, 0.0197
"""Shares of bits set where another way to compress becomes the better one."""


class Status(IntEnum):
    """Registered values (7.1); all others belong to applications or are unassigned."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2


class StatusList:
    """A list of statuses, all VALID at first. `size` is the number of entries.

    Raises ValueError for bits other than 1, 2, 4, 8, or a size below 1.
    """

    __slots__ = ("_mask", "_per_byte", "bits", "data", "size")

    def __init__(self, bits: int, size: int, data: bytearray | None = None) -> None:
        if bits not in (1, 2, 4, 8):
            raise ValueError("an entry has 1, 2, 4 or 8 bits")
        if size < 1:
            raise ValueError("a status list has at least one entry")
        length = (size * bits + 7) // 8
        if data is not None and len(data) != length:
            raise ValueError("the data does not have the length of that many entries")
        self.bits = bits
        self.size = size
        self.data = bytearray(length) if data is None else data
        self._per_byte = 8 // bits
        self._mask = (1 << bits) - 1

    @classmethod
    def from_indices(
        cls, size: int, bits: int, indices: Iterable[int], status: int = Status.INVALID
    ) -> "StatusList":
        """Return a list where these entries have the status and all others are VALID.

        Raises StatusIndexOutOfRange, and ValueError for a status that the bits cannot hold.
        """
        made = cls(bits, size)
        if bits == 1 and status == 1:
            _set_bits(made.data, indices, size)
        else:
            for index in indices:
                made.set(index, status)
        return made

    @classmethod
    def from_bytes(cls, bits: int, data: bytes) -> "StatusList":
        """Return a list over bytes as received; every entry that fits counts.

        Raises MalformedStatusList for other bits or no bytes.
        """
        if bits not in (1, 2, 4, 8) or not data:
            raise MalformedStatusList("bits is not 1, 2, 4 or 8, or the list is empty")
        return cls(bits, len(data) * 8 // bits, bytearray(data))

    def get(self, index: int) -> int:
        """Return an entry's status. Raises StatusIndexOutOfRange."""
        self._check(index)
        place, shift = divmod(index, self._per_byte)
        return self.data[place] >> (shift * self.bits) & self._mask

    def set(self, index: int, status: int) -> None:
        """Change an entry. Raises StatusIndexOutOfRange; ValueError if the bits cannot hold it."""
        self._check(index)
        if not 0 <= status <= self._mask:
            raise ValueError(f"{self.bits} bits cannot hold status {status}")
        place, shift = divmod(index, self._per_byte)
        offset = shift * self.bits
        self.data[place] = self.data[place] & ~(self._mask << offset) | status << offset

    def _check(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise StatusIndexOutOfRange(f"the list has no entry {index}")

    def compress(self, *, smallest: bool = False) -> bytes:
        """Return the zlib stream, by what the list is like (measured: docs/storage.md).

        Sparse lists as runs only, which takes a fortieth of the time of any search for matches.
        Dense ones, from 2 % of the entries of one bit on, without any match. `smallest` searches
        sparse ones too, in a short window: up to 9 % fewer bytes, for lists that seldom change.
        """
        share = self._share()
        if share >= _DENSE:
            return self._packed(zlib.Z_HUFFMAN_ONLY)
        packed = self._packed(zlib.Z_RLE)
        if not smallest:
            return packed
        level, window = (9, 11) if share < _SPARSE else (8, 10)
        return min(packed, self._packed(zlib.Z_FILTERED, level, window), key=len)

    def _share(self) -> float:
        """How many bits are set, by the first part: places are given out in no order."""
        part = self.data[:_PART_BYTES]
        return int.from_bytes(part, "little").bit_count() / (8 * len(part))

    def _packed(self, strategy: int, level: int = 9, window: int = zlib.MAX_WBITS) -> bytes:
        packer = zlib.compressobj(level, zlib.DEFLATED, window, 9, strategy)
        return packer.compress(self.data) + packer.flush()

    def claim(self, *, smallest: bool = False) -> dict[str, Any]:
        """Return the value of the `status_list` claim of a token (4.2)."""
        return {"bits": self.bits, "lst": encode(self.compress(smallest=smallest))}


def _set_bits(data: bytearray, indices: Iterable[int], size: int) -> None:
    # The hot loop of a rebuild: a table instead of a shift, the bounds in the same comparison.
    masks = (1, 2, 4, 8, 16, 32, 64, 128)
    for index in indices:
        if not 0 <= index < size:
            raise StatusIndexOutOfRange(f"the list has no entry {index}")
        data[index >> 3] |= masks[index & 7]


def decompress(lst: str, max_bytes: int = MAX_LIST_BYTES) -> bytes:
    """Return the bytes of an `lst` value: exactly one complete zlib stream, of bounded size.

    Raises MalformedStatusList, StatusListTooLarge.
    """
    try:
        packed = decode(lst)
    except MalformedEncoding as error:
        raise MalformedStatusList("lst is not base64url") from error
    return inflate(packed, max_bytes)


def inflate(packed: bytes, max_bytes: int = MAX_LIST_BYTES) -> bytes:
    """Return the bytes of exactly one complete zlib stream, of bounded size.

    Raises MalformedStatusList, StatusListTooLarge.
    """
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(packed, max_bytes + 1)
    except zlib.error as error:
        raise MalformedStatusList("lst is not a zlib stream") from error
    if len(data) > max_bytes:
        raise StatusListTooLarge(f"the list has more than {max_bytes} bytes")
    if not stream.eof or stream.unused_data:
        raise MalformedStatusList("the zlib stream is cut short or followed by more")
    return data


def read_claim(claim: object, max_bytes: int = MAX_LIST_BYTES) -> StatusList:
    """Return the list of a `status_list` claim.

    Raises MalformedStatusList, StatusListTooLarge.
    """
    if not isinstance(claim, dict):
        raise MalformedStatusList("status_list is not an object")
    bits, lst = claim.get("bits"), claim.get("lst")
    if isinstance(bits, bool) or not isinstance(bits, int) or not isinstance(lst, str):
        raise MalformedStatusList("bits is not a number or lst not text")
    return StatusList.from_bytes(bits, decompress(lst, max_bytes))
