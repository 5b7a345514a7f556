"""What a representative sees of issued credentials, and does to one of them."""

import re
from collections.abc import Sequence
from typing import Final

from corpid.domain.credential import Credential, CredentialChange, Standing
from corpid.domain.credential_management import Act, allowed_acts, may_see
from corpid.domain.errors import NotAllowed, NotFound
from corpid.services.credential_history import history_of, in_wallet
from corpid.services.credential_view_ports import Place, Wanted
from corpid.services.ports import Store, UnitOfWork
from corpid.services.representatives import Representatives, Represented
from corpid.services.revocation import Revocation
from corpid.services.revocation_credentials import CredentialAct
from keys.record import record

PAGE: Final = 20
_PLACE: Final = re.compile(r"([0-9]{1,15})\.([A-Za-z0-9_-]{1,64})")


@record
class CredentialPage:
    """One page of a list; ``next`` says where the following one begins, if there is one."""

    credentials: Sequence[Credential]
    next: str | None


@record
class CredentialFile:
    """One credential with its history, and what the person may do to it.

    ``in_wallet``: so many live ones of its type its wallet has; None where it may have more.
    """

    credential: Credential
    history: Sequence[CredentialChange]
    acts: Sequence[Act]
    in_wallet: int | None


class CredentialDesk:
    """Reads and acts as one person for one business. ``most_live`` as ``CredentialIssuance``."""

    def __init__(
        self,
        store: Store,
        representatives: Representatives,
        revocation: Revocation,
        *,
        most_live: int,
    ) -> None:
        self._most_live = most_live
        self._store = store
        self._representatives = representatives
        self._revocation = revocation

    async def page(
        self, business: Represented, standing: Standing | None, kind: str | None, after: str
    ) -> CredentialPage:
        """A page of the business's credentials, the latest first; unreadable places are its start.

        Only the person's own, unless they look after all.
        """
        wanted = Wanted(
            business.organisation_id,
            None if business.manager else business.person_id,
            standing,
            kind,
        )
        named = _PLACE.fullmatch(after)
        place = None if named is None else Place(int(named[1]), named[2])
        now_ms = self.now_ms()
        found = await self._store.read.credential_views.page(wanted, now_ms, PAGE + 1, place)
        shown = found[:PAGE]
        more = len(found) > PAGE
        last = f"{shown[-1].issued_at}.{shown[-1].credential_id}" if more else None
        return CredentialPage(shown, last)

    async def file(self, business: Represented, credential_id: str) -> CredentialFile:
        """One credential.

        Raises:
            NotFound: there is none that the person may know of.
        """
        return await self._file(self._store.read, business, credential_id, business.manager)

    async def act(
        self,
        business: Represented,
        credential_id: str,
        act: Act,
        reason: str,
        *,
        wallet: bool = False,
    ) -> None:
        """Do it, if the person may: that is decided in the transaction that does it.

        With ``wallet`` a revocation is one of all that its wallet has by the same authorization.

        Raises:
            NotFound: there is no credential that the person may know of.
            NotAllowed: the person may not, or not any more.
            IllegalTransition: it does not fit what the credential has become.
        """

        async def work(uow: UnitOfWork) -> None:
            manager = await self._representatives.require(uow, business)
            found = await self._file(uow, business, credential_id, manager)
            if act not in found.acts:
                raise NotAllowed(f"this person may not {act} this credential now")
            doing = CredentialAct[act.name]
            if wallet and act is Act.REVOKE:
                doing = CredentialAct.REVOKE_WALLET
            await self._revocation.change_credential(
                uow, doing, credential_id, business.person_id, reason
            )

        await self._store.write(work)

    def now_ms(self) -> int:
        """Now, in epoch milliseconds."""
        return self._representatives.now_ms()

    async def _file(
        self, uow: UnitOfWork, business: Represented, credential_id: str, manager: bool
    ) -> CredentialFile:
        credential = await uow.credentials.by_id(credential_id)
        person_id = business.person_id
        if (
            credential is None
            or credential.organisation_id != business.organisation_id
            or not may_see(credential, person_id, manager=manager)
        ):
            raise NotFound("there is no such credential")
        history = await history_of(uow, credential)
        now_ms = self.now_ms()
        acts = allowed_acts(credential, person_id, manager=manager, history=history, now_ms=now_ms)
        beside = await in_wallet(uow, credential, now_ms)
        full = beside if beside >= self._most_live else None
        return CredentialFile(credential, history, acts, full)
