"""What whoever looks at issued credentials and offers needs of storage."""

from typing import Protocol

from corpid.domain.credential import Credential, Standing
from corpid.services.records import Offer
from keys.record import record


@record
class Place:
    """Where one page of a list ends: the last credential on it."""

    issued_at: int
    credential_id: str


@record
class Wanted:
    """Whose credentials are listed: of an organisation, all or a person's, of one kind or all."""

    organisation_id: str
    person_id: str | None = None
    standing: Standing | None = None
    credential_type: str | None = None


class CredentialViews(Protocol):
    """Lists, as they are shown."""

    async def page(
        self, wanted: Wanted, now_ms: int, limit: int, after: Place | None = None
    ) -> list[Credential]:
        """Those that fit, the latest first, from behind that place."""

    async def offers_to(self, person_id: str, organisation_id: str, limit: int) -> list[Offer]:
        """What was offered to a person for an organisation, the latest first.

        Inside a write, no other write gets past this for both until that one is over.
        """

    async def find_offers(
        self,
        *,
        organisation_id: str | None = None,
        person_id: str | None = None,
        open_at_ms: int | None = None,
        limit: int = 200,
    ) -> list[Offer]:
        """Those that fit everything given, the latest first; the open ones, or all."""
