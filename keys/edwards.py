"""Is an Ed25519 public key a sound point? The library takes any 32 bytes (RFC 8032 section 5.1.3).

Under a point of small order one signature verifies for nearly every message, so a key of that
kind proves nothing about its holder.
"""

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_SIGN_BIT = 1 << 255


def is_sound_point(encoded: bytes) -> bool:
    """Tell whether ``encoded`` is 32 bytes, canonical, on the curve and not of small order."""
    if len(encoded) != 32:
        return False
    y = int.from_bytes(encoded, "little") & (_SIGN_BIT - 1)
    if y >= _P:
        return False
    y2 = y * y % _P
    # Orders 1, 2 and 4 have y = 1, -1, 0. A point of order 8 doubles to one with y = 0, that is
    # x^2 = -y^2; put into the curve's equation -x^2 + y^2 = 1 + d x^2 y^2.
    if y2 in (0, 1) or (_D * y2 * y2 + 2 * y2 - 1) % _P == 0:
        return False
    # x^2 = (y^2 - 1) / (d y^2 + 1) must be a square; u/v is one exactly when u*v is.
    return pow((y2 - 1) * (_D * y2 + 1), (_P - 1) // 2, _P) == 1
