"""For which businesses somebody may look after credentials, and what stands for one on a page."""

from collections.abc import Sequence
from typing import Final

from corpid.domain.credential_management import manages
from corpid.domain.errors import NotAllowed, NotFound
from corpid.domain.organisation import Organisation
from corpid.services.authorities import ActingAuthority, authorities_of, require_authority
from corpid.services.ports import Store, UnitOfWork
from keys import base64url
from keys.clock import Clock
from keys.record import record
from oidc.secrets import TokenHasher

_HANDLE_BYTES: Final = 16


@record
class Represented:
    """A business that a person acts for now, alone or with others, by these authorities.

    ``handle`` stands for it in addresses: no number of it and no id does.
    """

    person_id: str
    organisation: Organisation
    authorities: Sequence[ActingAuthority]
    handle: str

    @property
    def manager(self) -> bool:
        """Whether the person looks after all of its credentials, and not only their own."""
        return any(manages(one.mandate) for one in self.authorities)

    @property
    def organisation_id(self) -> str:
        """The internal id."""
        return self.organisation.organisation_id


class Representatives:
    """Finds them. Handles are of one person each, computed under ``hasher``."""

    def __init__(self, store: Store, hasher: TokenHasher, clock: Clock) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock

    async def of(self, person_id: str) -> list[Represented]:
        """Every business that the person acts for now, each once, strongest authority first."""
        by_organisation: dict[str, list[ActingAuthority]] = {}
        found = await authorities_of(self._store.read, person_id, self.now_ms(), joint=True)
        for authority in found:
            name = authority.organisation.organisation_id
            by_organisation.setdefault(name, []).append(authority)
        return [
            Represented(
                person_id,
                held[0].organisation,
                tuple(sorted(held, key=lambda one: not one.is_sole)),
                self.handle(person_id, "business", name),
            )
            for name, held in by_organisation.items()
        ]

    async def find(self, person_id: str, handle: str) -> Represented:
        """The one that a handle stands for.

        Raises:
            NotFound: none that the person acts for now.
        """
        for one in await self.of(person_id):
            if one.handle == handle:
                return one
        raise NotFound("this person acts for no business of that handle")

    async def require(self, uow: UnitOfWork, known: Represented) -> bool:
        """Inside a write: whether the person still manages; what says so is kept until its end.

        Raises:
            NotAllowed: none of the authorities counts any more.
        """
        standing = []
        for authority in known.authorities:
            try:
                standing.append(
                    await require_authority(
                        uow,
                        known.person_id,
                        known.organisation_id,
                        self.now_ms(),
                        authority.authority_id,
                        joint=True,
                    )
                )
            except NotAllowed:
                continue
        if not standing:
            raise NotAllowed("this person does not act for this business any more")
        return any(manages(one.mandate) for one in standing)

    def handle(self, person_id: str, kind: str, name: str) -> str:
        """What stands on that person's pages for something whose own id must not be there."""
        text = f"handle\x00{kind}\x00{person_id}\x00{name}"
        return base64url.encode(self._hasher.hash(text)[:_HANDLE_BYTES])

    def now_ms(self) -> int:
        """Now, in epoch milliseconds."""
        return int(self._clock() * 1000)
