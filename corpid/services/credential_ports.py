"""What the use cases ask storage of offers and issued credentials."""

from collections.abc import Sequence
from typing import Protocol

from corpid.domain.credential import Credential, CredentialChange, CredentialState, StatusEntry
from corpid.services.records import Beside, CredentialRow, Offer


class Credentials(Protocol):
    """Offers and issuance records."""

    async def offer(self, offer_id: str) -> Offer | None: ...
    async def add_offer(self, offer: Offer) -> None: ...
    async def end_offers_by_authority(self, authority: str, now_ms: int) -> int: ...
    async def end_offer(self, offer_id: str, now_ms: int) -> bool:
        """End an open offer; False when it is not open."""

    async def end_offers_by_person(self, person_id: str, now_ms: int) -> int: ...
    async def by_id(self, credential_id: str) -> Credential | None: ...
    async def by_entry(self, entry: StatusEntry) -> Credential | None: ...
    async def beside(
        self,
        grant_id: str,
        credential_type: str,
        credential_format: str,
        holder_thumbprints: Sequence[str],
        now_ms: int,
    ) -> Beside:
        """What there is already. Inside a write nobody else gets past this for the grant."""

    async def grant_of(self, credential_id: str) -> str | None:
        """The id of the grant, or of the operators' line, that it was issued under."""

    async def going_on_under(self, grant_id: str) -> list[Credential]:
        """Those of a grant, or of an operators' line, that are not over, oldest first."""

    async def live_under(self, grant_id: str, credential_type: str, now_ms: int) -> int:
        """How many live ones of that type there are, but those that give way to a renewal."""

    async def same_key(self, credential_id: str) -> list[Credential]:
        """What else of its grant, type, format and key is not over."""

    async def giving_way(self, credential_id: str) -> list[Credential]:
        """Those of them that this one renews."""

    async def due(self, now_ms: int, limit: int) -> list[Credential]:
        """Those that have given way long enough."""

    async def give_way(self, credential_id: str, ends_at: int | None) -> None:
        """Set when it ends in favour of another, never later than before; None: it does not."""

    async def held_under(self, authority: str) -> list[Credential]:
        """Not revoked nor replaced, issued for this mandate or representation."""

    async def find(
        self,
        *,
        organisation_id: str | None = None,
        person_id: str | None = None,
        state: CredentialState | None = None,
        limit: int = 200,
    ) -> list[Credential]: ...
    async def going_on(
        self,
        after: str,
        limit: int,
        *,
        organisation_id: str | None = None,
        credential_type: str | None = None,
    ) -> list[str]:
        """Ids of those that are not over and fit what is given, in order, beyond ``after``."""

    async def add(self, row: CredentialRow) -> None: ...
    async def add_all(self, rows: Sequence[CredentialRow]) -> None: ...
    async def change_state(
        self,
        credential_id: str,
        state: CredentialState,
        now_ms: int,
        reason: str = "",
        actor: str = "",
        instead_of: CredentialState | None = None,
    ) -> bool:
        """False when it is over, or not ``instead_of``: then its entry must stay as it is."""

    async def hold(self, credential_id: str, since_ms: int | None) -> None:
        """Write since when it is suspended by itself; None: it is not any more."""

    async def changes_of(self, credential_id: str) -> list[CredentialChange]:
        """What became of it after it was issued, in order."""
