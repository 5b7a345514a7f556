"""ECDSA signatures between ASN.1 DER, as the library has them, and JOSE's r||s (RFC 7518 3.4).

By hand because the library goes by way of big integers; here each way is byte slicing. Only
components of up to 48 bytes occur (P-384), so every DER length fits one byte.
"""


def to_der(raw: bytes) -> bytes:
    """Return ``raw`` (r and s, each half of it, big-endian) as a DER sequence of two integers."""
    half = len(raw) // 2
    r = _der_integer(raw[:half])
    s = _der_integer(raw[half:])
    return bytes((0x30, len(r) + len(s))) + r + s


def from_der(der: bytes, size: int) -> bytes:
    """Return r||s, ``size`` bytes each, from the DER that our own library has just made."""
    r_end = 4 + der[3]
    r = der[4:r_end]
    s = der[r_end + 2 :]
    return r.lstrip(b"\0").rjust(size, b"\0") + s.lstrip(b"\0").rjust(size, b"\0")


def _der_integer(component: bytes) -> bytes:
    digits = component.lstrip(b"\0") or b"\0"
    if digits[0] & 0x80:  # DER integers are signed
        digits = b"\0" + digits
    return bytes((0x02, len(digits))) + digits
