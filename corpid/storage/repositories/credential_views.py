"""Lists of issued credentials and offers."""

from typing import Final

from sqlalchemy import BigInteger, Text, and_, bindparam, or_, select

from corpid.domain.credential import Credential, CredentialState, Standing
from corpid.services.credential_view_ports import Place, Wanted
from corpid.services.records import Offer
from corpid.storage.constructs import MAX_ROWS, given, holding, table
from corpid.storage.credential_rows import WHOLE, credential_of, offer_of
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement, any_of

_credential = table("credential")
_offer = table("credential_offer")

_ALWAYS: Final = 2**62  # epoch ms that never come
_LIVE: Final = (CredentialState.ISSUED, CredentialState.ACCEPTED)
_STATES: Final[dict[Standing | None, tuple[CredentialState, ...]]] = {
    None: tuple(CredentialState),
    Standing.VALID: _LIVE,
    Standing.SUSPENDED: (CredentialState.SUSPENDED,),
    Standing.EXPIRED: (*_LIVE, CredentialState.SUSPENDED),
    Standing.REVOKED: (CredentialState.REVOKED,),
    Standing.SUPERSEDED: (CredentialState.REPLACED,),
}
_kind = bindparam("credential_type", type_=Text())
_PAGE: Final = (
    WHOLE.where(
        given(_credential.c.organisation_id),
        any_of(_credential.c.state, "states"),
        _credential.c.expires_at > bindparam("lives_at", type_=BigInteger()),
        _credential.c.expires_at <= bindparam("over_at", type_=BigInteger()),
        or_(_kind.is_(None), _credential.c.credential_type == _kind),
        _credential.c.issued_at <= bindparam("issued_at", type_=BigInteger()),
        or_(
            _credential.c.issued_at < bindparam("issued_at", type_=BigInteger()),
            and_(
                _credential.c.issued_at == bindparam("issued_at", type_=BigInteger()),
                _credential.c.credential_id < bindparam("credential_id", type_=Text()),
            ),
        ),
    )
    .order_by(_credential.c.issued_at.desc(), _credential.c.credential_id.desc())
    .limit(bindparam("limit"))
)
_PAGE_OF_ALL: Final = Statement(_PAGE)
_PAGE_OF_ONE: Final = Statement(_PAGE.where(given(_credential.c.person_id)))
_LATEST_OFFERS: Final = (
    select(*_offer.c)
    .order_by(_offer.c.created_at.desc(), _offer.c.offer_id)
    .limit(bindparam("limit"))
)
_OFFERS_TO: Final = Statement(
    _LATEST_OFFERS.where(given(_offer.c.person_id), given(_offer.c.organisation_id))
)
_organisation = bindparam("organisation_id", type_=Text())
_person = bindparam("person_id", type_=Text())
_open_at = bindparam("open_at", type_=BigInteger())
_FIND_OFFERS: Final = Statement(
    _LATEST_OFFERS.where(
        or_(_organisation.is_(None), _offer.c.organisation_id == _organisation),
        or_(_person.is_(None), _offer.c.person_id == _person),
        or_(
            _open_at.is_(None),
            and_(
                _offer.c.used_at.is_(None),
                _offer.c.ended_at.is_(None),
                _offer.c.expires_at > _open_at,
            ),
        ),
    )
)
_HOLD_OFFERS: Final = Statement(holding(bindparam("name", type_=Text())))


class SqlCredentialViews(Repository):
    """``services.ports.CredentialViews``."""

    __slots__ = ()

    async def page(
        self, wanted: Wanted, now_ms: int, limit: int, after: Place | None = None
    ) -> list[Credential]:
        """Those that fit, the latest first, from behind that place."""
        bounded = wanted.standing in (Standing.VALID, Standing.SUSPENDED)
        bounds = {
            "organisation_id": wanted.organisation_id,
            "states": [one.value for one in _STATES[wanted.standing]],
            "lives_at": now_ms if bounded else -1,
            "over_at": now_ms if wanted.standing is Standing.EXPIRED else _ALWAYS,
            "credential_type": wanted.credential_type,
            "issued_at": _ALWAYS if after is None else after.issued_at,
            "credential_id": "" if after is None else after.credential_id,
            "limit": min(limit, MAX_ROWS),
        }
        reads = self._in.reads
        if wanted.person_id is None:
            found = await reads.all(_PAGE_OF_ALL, **bounds)
        else:
            found = await reads.all(_PAGE_OF_ONE, person_id=wanted.person_id, **bounds)
        return [credential_of(row) for row in found]

    async def offers_to(self, person_id: str, organisation_id: str, limit: int) -> list[Offer]:
        """See ``CredentialViews.offers_to``."""
        if self._in.locking:
            name = f"offers {person_id} {organisation_id}"
            await self._in.writes.lock(_HOLD_OFFERS, name=name)
        found = await self._in.reads.all(
            _OFFERS_TO,
            person_id=person_id,
            organisation_id=organisation_id,
            limit=min(limit, MAX_ROWS),
        )
        return [offer_of(row) for row in found]

    async def find_offers(
        self,
        *,
        organisation_id: str | None = None,
        person_id: str | None = None,
        open_at_ms: int | None = None,
        limit: int = 200,
    ) -> list[Offer]:
        """See ``CredentialViews.find_offers``. It looks through all: they are kept for 30 days."""
        found = await self._in.reads.all(
            _FIND_OFFERS,
            organisation_id=organisation_id,
            person_id=person_id,
            open_at=open_at_ms,
            limit=min(limit, MAX_ROWS),
        )
        return [offer_of(row) for row in found]
