"""Secrets at rest: one master key, from which everything sealed or derived depends.

A box is ``version (1) || nonce (12) || AES-256-GCM ciphertext and tag``, under a subkey that
HKDF-SHA256 (RFC 5869) derives from the master key, with the version and the context as associated
data: a box that is moved to another row or another use does not open. Nonces are random; one
master key is good for 2^32 boxes (SP 800-38D section 8.3), far more than keys will ever be sealed.
"""

import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys import base64url
from keys.clock import Random
from keys.errors import MalformedEncoding, MalformedKey, SealError, WrongMasterKey

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16

_VERSION = b"\x01"
# The two kinds of label cannot meet: what callers derive never equals what sealing uses.
_INTERNAL = b"master-key/1/internal/"
_DERIVED = b"master-key/1/derived/"


class MasterKey:
    """The key over all keys. It is given from outside (file, environment) and never stored."""

    __slots__ = ("_box", "_secret")

    def __init__(self, secret: bytes) -> None:
        """Take 32 random bytes.

        Raises:
            MalformedKey: another length.
        """
        if len(secret) != KEY_BYTES:
            raise MalformedKey("a master key has 32 bytes")
        self._secret = bytes(secret)
        self._box = AESGCM(self._hkdf(_INTERNAL + b"seal"))

    def __repr__(self) -> str:
        return "MasterKey(hidden)"

    @classmethod
    def from_text(cls, text: str) -> "MasterKey":
        """Read the base64url form; surrounding white space, as files have it, is ignored.

        Raises:
            MalformedKey: not 32 bytes in base64url.
        """
        try:
            return cls(base64url.decode(text.strip()))
        except MalformedEncoding as error:
            raise MalformedKey("a master key is 32 bytes in base64url") from error

    @classmethod
    def generate(cls, random: Random = secrets.token_bytes) -> "MasterKey":
        """Make a new master key."""
        return cls(random(KEY_BYTES))

    def text(self) -> str:
        """Return the base64url form. Secret."""
        return base64url.encode(self._secret)

    def check_value(self) -> str:
        """Return a value to store beside the boxes; it tells this master key from any other."""
        return base64url.encode(self._hkdf(_INTERNAL + b"check"))

    def check(self, check_value: str) -> None:
        """Compare with a stored ``check_value`` before anything is opened.

        Raises:
            WrongMasterKey: it was made by another master key.
        """
        if not hmac.compare_digest(self.check_value().encode(), check_value.encode()):
            raise WrongMasterKey("the store was sealed under another master key")

    def derive(self, label: str) -> bytes:
        """Return 32 bytes that are always the same for ``label`` and independent between labels."""
        return self._hkdf(_DERIVED + label.encode())

    def seal(
        self, plaintext: bytes, context: str, *, random: Random = secrets.token_bytes
    ) -> bytes:
        """Encrypt ``plaintext``; ``context`` says what it is and where it belongs."""
        nonce = random(NONCE_BYTES)
        return _VERSION + nonce + self._box.encrypt(nonce, plaintext, _associated(context))

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what ``seal`` made for the same ``context``.

        Raises:
            SealError: damaged, sealed under another master key, for another context, or in a
                version that we do not know.
        """
        if sealed[:1] != _VERSION:
            raise SealError("unknown version of a sealed box")
        if len(sealed) < 1 + NONCE_BYTES + TAG_BYTES:
            raise SealError("a sealed box is cut short")
        nonce, box = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._box.decrypt(nonce, box, _associated(context))
        except InvalidTag as error:
            raise SealError("a sealed box does not open here") from error

    def _hkdf(self, info: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._secret)


def _associated(context: str) -> bytes:
    return _VERSION + context.encode()
