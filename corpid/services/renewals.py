"""Credentials that were renewed: the old one ends when the wallet has the new one, or a day later.

The first is done with the wallet's notification (``credential_records``), the second here.
"""

from typing import Final

from corpid.domain.credential import CredentialState
from corpid.services.credential_records import RENEWED, end_credential
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock

BATCH: Final = 100
"""Credentials in one transaction: some milliseconds, during which nobody else can write."""


class Renewals:
    """Ends what has given way long enough."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def end_due(self) -> int:
        """End it, a batch in a transaction; how many. Cheap when there is nothing to do."""
        now_ms, ended = int(self._clock() * 1000), 0
        while await self._store.read.credentials.due(now_ms, 1):
            ended += await self._store.write(lambda uow: _end_some(uow, now_ms))
        return ended


async def _end_some(uow: UnitOfWork, now_ms: int) -> int:
    ended = 0
    for credential in await uow.credentials.due(now_ms, BATCH):
        ended += await end_credential(uow, credential, CredentialState.REPLACED, RENEWED, now_ms)
    return ended
