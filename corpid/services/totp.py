"""One-time codes by time (RFC 6238): SHA-1, 30 seconds, 6 digits, as every authenticator app has.

The secret is sealed at rest for its person: a stolen database makes no codes, and a secret that
is moved to another account does not open.
"""

import base64
import hmac
from typing import Final
from urllib.parse import quote, urlencode

from keys.clock import Random
from keys.sealing import MasterKey

STEP_SECONDS: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20  # RFC 4226 4, R6: 160 bits are recommended
WINDOW: Final = 1  # steps before and after the present one, for slow fingers and wrong clocks


def new_secret(random: Random) -> bytes:
    """A fresh shared secret."""
    return random(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """The secret as people type it into an app: base32 without padding."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def step_at(now: float) -> int:
    """The time step of an instant (epoch seconds)."""
    return int(now) // STEP_SECONDS


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: bytes, code: str, now: float) -> int | None:
    """The step around ``now`` that this code belongs to, or None. Every step is computed."""
    present = step_at(now)
    given = code.encode("utf-8", "replace")
    found = None
    for step in range(present - WINDOW, present + WINDOW + 1):
        if step >= 0 and hmac.compare_digest(code_at(secret, step).encode(), given):
            found = step
    return found


def provisioning_uri(secret: bytes, account: str, issuer: str) -> str:
    """The otpauth URI that authenticator apps read from a QR code."""
    query = urlencode(
        {
            "secret": secret_text(secret),
            "issuer": issuer,
            "algorithm": "SHA1",
            "digits": DIGITS,
            "period": STEP_SECONDS,
        },
        quote_via=quote,
    )
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='')}?{query}"


class TotpSecrets:
    """Seals and opens the shared secrets."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master

    def seal(self, person_id: str, secret: bytes) -> bytes:
        """The secret as it is stored for that person."""
        return self._master.seal(secret, _context(person_id))

    def open(self, person_id: str, sealed: bytes) -> bytes:
        """The secret of that person.

        Raises:
            SealError: it was sealed for somebody else or under another master key.
        """
        return self._master.open(sealed, _context(person_id))


def _context(person_id: str) -> str:
    return f"totp/{person_id}"
