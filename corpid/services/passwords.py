"""Human passwords: argon2id, off the event loop, on a bounded number of threads.

Parameters follow RFC 9106 and OWASP's minimum: one lane, two passes, and as much memory as the
operator grants. A check of an unknown user costs the same work as one of a known user.
"""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from oidc.errors import TemporarilyUnavailable

T = TypeVar("T")

MAX_CHARACTERS: Final = 1024
"""Longer input is no password of ours: it is refused after the usual work."""
_PASSES: Final = 2
_LANES: Final = 1


class Passwords:
    """Makes and checks password hashes.

    ``memory_kib`` is argon2id's memory for one check; at most ``threads`` run at a time, and at
    most ``waiting`` more wait for them.
    """

    def __init__(self, memory_kib: int, *, threads: int = 2, waiting: int = 64) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=memory_kib, parallelism=_LANES)
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="password")
        self._room = threads + waiting
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The encoded argon2id hash, with its salt and parameters.

        Raises:
            TemporarilyUnavailable: too many checks are waiting.
        """
        return await self._run(partial(self._hasher.hash, _prepared(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one. ``None`` (an unknown user) costs the same and is False.

        Raises:
            TemporarilyUnavailable: too many checks are waiting.
        """
        if self._nobody is None:  # at the first check of all, whoever it is for
            self._nobody = await self.hash("the password of nobody")
        against = self._nobody if password_hash is None else password_hash
        matches = await self._run(partial(self._matches, against, password[:MAX_CHARACTERS]))
        return matches and password_hash is not None and len(password) <= MAX_CHARACTERS

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _prepared(password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    async def _run(self, work: "partial[T]") -> T:
        if self._room <= 0:
            raise TemporarilyUnavailable(
                "too many people are signing in just now, try again shortly",
                headers={"Retry-After": "2"},
            )
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._room += 1


def _prepared(password: str) -> bytes:
    # The same password typed on another keyboard may come in another composition of characters.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
