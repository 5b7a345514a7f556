"""Browser sessions, interactions and consents."""

from typing import Any, Final

from sqlalchemy import bindparam, select

from corpid.domain.person import Assurance
from corpid.services.records import Consent, Interaction, Session
from corpid.storage.constructs import (
    MAX_ROWS,
    adding,
    adding_or_replacing,
    changing,
    counting,
    finding,
    given,
    shared,
    table,
)
from corpid.storage.mapping import words
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_session = table("session")
_interaction = table("interaction")
_consent = table("consent")

_SESSION: Final = finding(_session, given(_session.c.session_hash))
_ADD_SESSION: Final = adding(_session)
_STRENGTHEN: Final = changing(
    _session,
    given(_session.c.session_hash, "before"),
    _session.c.ended_at.is_(None),
    session_hash=bindparam("hash"),
    assurance=bindparam("level"),
    methods=bindparam("amr"),
    signed_in_at=bindparam("at"),
)
_SESSION_BY_ID: Final = shared(select(*_session.c).where(given(_session.c.session_id)))
_SESSIONS_OF: Final = Statement(
    select(*_session.c)
    .where(
        given(_session.c.person_id),
        _session.c.ended_at.is_(None),
        _session.c.expires_at > bindparam("now"),
    )
    .order_by(_session.c.seen_at.desc(), _session.c.session_id)
    .limit(MAX_ROWS)
)
_RENEW: Final = changing(
    _session,
    given(_session.c.session_id),
    _session.c.ended_at.is_(None),
    session_hash=bindparam("hash"),
    assurance=bindparam("level"),
    methods=bindparam("amr"),
    browser=bindparam("label"),
    signed_in_at=bindparam("at"),
    seen_at=bindparam("seen"),
    expires_at=bindparam("until"),
)
_TOUCH: Final = changing(
    _session,
    given(_session.c.session_id),
    _session.c.ended_at.is_(None),
    seen_at=bindparam("now"),
)
_END_SESSION: Final = changing(
    _session,
    given(_session.c.session_id),
    _session.c.ended_at.is_(None),
    ended_at=bindparam("now"),
)
_END_SESSIONS_OF: Final = changing(
    _session,
    given(_session.c.person_id),
    _session.c.ended_at.is_(None),
    _session.c.expires_at > bindparam("now"),
    ended_at=bindparam("now"),
)

_INTERACTION: Final = finding(_interaction, given(_interaction.c.interaction_hash))
_OPEN_INTERACTIONS: Final = counting(
    _interaction,
    given(_interaction.c.client_id),
    _interaction.c.finished_at.is_(None),
    _interaction.c.expires_at > bindparam("now"),
)
_ADD_INTERACTION: Final = adding(_interaction)
_UPDATE_INTERACTION: Final = changing(
    _interaction,
    given(_interaction.c.interaction_hash),
    _interaction.c.finished_at.is_(None),
    binding_hash=bindparam("binding"),
    request=bindparam("text"),
    pushed_request_hash=bindparam("pushed"),
    person_id=bindparam("person"),
    organisation_id=bindparam("organisation"),
    expires_at=bindparam("until"),
)
_FINISH: Final = changing(
    _interaction,
    given(_interaction.c.interaction_hash),
    _interaction.c.finished_at.is_(None),
    finished_at=bindparam("now"),
)

_OPEN: Final = _consent.c.ended_at.is_(None)
_OF_THREE: Final = (
    given(_consent.c.person_id),
    given(_consent.c.organisation_id),
    given(_consent.c.client_id),
)
_CONSENT: Final = finding(_consent, *_OF_THREE, _OPEN)
_END_CONSENT: Final = changing(
    _consent,
    *_OF_THREE,
    _OPEN,
    _consent.c.given_at != bindparam("now"),
    ended_at=bindparam("now"),
)
_GIVE_CONSENT: Final = adding_or_replacing(_consent)
_OF_PERSON: Final = given(_consent.c.person_id)
_OF_CLIENT: Final = given(_consent.c.client_id)
_END_OF_PERSON: Final = changing(_consent, _OF_PERSON, _OPEN, ended_at=bindparam("now"))
_END_OF_CLIENT: Final = changing(_consent, _OF_CLIENT, _OPEN, ended_at=bindparam("now"))
_END_OF_ORGANISATION: Final = changing(
    _consent, given(_consent.c.organisation_id), _OPEN, ended_at=bindparam("now")
)


class SqlSignIns(Repository):
    """``services.ports.SignIns``."""

    __slots__ = ()

    async def session(self, session_hash: bytes) -> Session | None:
        """The session, ended and expired ones too."""
        row = await self._in.reads.one(_SESSION, session_hash=session_hash)
        return None if row is None else _session_of(row)

    async def add_session(self, session: Session) -> None:
        """Add a session."""
        await self._in.writes.execute(
            _ADD_SESSION,
            session_hash=session.session_hash,
            session_id=session.session_id,
            person_id=session.person_id,
            assurance=session.assurance.value,
            methods=words(session.methods),
            browser=session.browser,
            began_at=session.began_at or session.signed_in_at,
            signed_in_at=session.signed_in_at,
            seen_at=session.used_at,
            expires_at=session.expires_at,
            ended_at=session.ended_at,
        )

    async def strengthen_session(self, before: bytes, session: Session) -> bool:
        """See ``SignIns.strengthen_session``."""
        changed = await self._in.writes.execute(
            _STRENGTHEN,
            before=before,
            hash=session.session_hash,
            level=session.assurance.value,
            amr=words(session.methods),
            at=session.signed_in_at,
        )
        return changed == 1

    async def session_by_id(self, session_id: str) -> Session | None:
        """The session, ended and expired ones too; inside a write it stays as it is to its end."""
        row = await self._in.reads.one(_SESSION_BY_ID[self._in.locking], session_id=session_id)
        return None if row is None else _session_of(row)

    async def sessions_of(self, person_id: str, now_ms: int) -> list[Session]:
        """A person's sessions that have neither ended nor expired, the last used first."""
        rows = await self._in.reads.all(_SESSIONS_OF, person_id=person_id, now=now_ms)
        return [_session_of(row) for row in rows]

    async def renew_session(self, session: Session) -> bool:
        """See ``SignIns.renew_session``."""
        changed = await self._in.writes.execute(
            _RENEW,
            session_id=session.session_id,
            hash=session.session_hash,
            level=session.assurance.value,
            amr=words(session.methods),
            label=session.browser,
            at=session.signed_in_at,
            seen=session.used_at,
            until=session.expires_at,
        )
        return changed == 1

    async def touch_session(self, session_id: str, now_ms: int) -> None:
        """Write when a session was used."""
        await self._in.writes.execute(_TOUCH, session_id=session_id, now=now_ms)

    async def end_session(self, session_id: str, now_ms: int) -> bool:
        """End a session; False when it has ended before or is not known."""
        changed = await self._in.writes.execute(_END_SESSION, session_id=session_id, now=now_ms)
        return changed == 1

    async def end_sessions_of(self, person_id: str, now_ms: int) -> int:
        """End every live session of a person; how many."""
        return await self._in.writes.execute(_END_SESSIONS_OF, person_id=person_id, now=now_ms)

    async def interaction(self, interaction_hash: bytes) -> Interaction | None:
        """The interaction, finished and expired ones too."""
        row = await self._in.reads.one(_INTERACTION, interaction_hash=interaction_hash)
        return None if row is None else Interaction(*row)

    async def add_interaction(self, interaction: Interaction) -> None:
        """Add an interaction."""
        await self._in.writes.execute(
            _ADD_INTERACTION,
            interaction_hash=interaction.interaction_hash,
            binding_hash=interaction.binding_hash,
            client_id=interaction.client_id,
            request=interaction.request,
            pushed_request_hash=interaction.pushed_request_hash,
            person_id=interaction.person_id,
            organisation_id=interaction.organisation_id,
            created_at=interaction.created_at,
            expires_at=interaction.expires_at,
            finished_at=interaction.finished_at,
        )

    async def open_interactions(self, client_id: str, now_ms: int, at_most: int) -> int:
        """See ``SignIns.open_interactions``."""
        row = await self._in.reads.one(
            _OPEN_INTERACTIONS, client_id=client_id, now=now_ms, at_most=at_most
        )
        return 0 if row is None else int(row[0])

    async def update_interaction(self, interaction: Interaction) -> None:
        """Write who signed in and for whom, the binding and the request; not when finished."""
        await self._in.writes.execute(
            _UPDATE_INTERACTION,
            interaction_hash=interaction.interaction_hash,
            binding=interaction.binding_hash,
            text=interaction.request,
            pushed=interaction.pushed_request_hash,
            person=interaction.person_id,
            organisation=interaction.organisation_id,
            until=interaction.expires_at,
        )

    async def finish_interaction(self, interaction_hash: bytes, now_ms: int) -> bool:
        """False when it was finished before."""
        changed = await self._in.writes.execute(
            _FINISH, interaction_hash=interaction_hash, now=now_ms
        )
        return changed == 1

    async def consent(self, person_id: str, organisation_id: str, client_id: str) -> Consent | None:
        """The consent in force."""
        row = await self._in.reads.one(
            _CONSENT, person_id=person_id, organisation_id=organisation_id, client_id=client_id
        )
        if row is None:
            return None
        person, organisation, client, given_at, _, scopes, claims = row
        return Consent(person, organisation, client, frozenset(scopes.split()), claims, given_at)

    async def give_consent(self, consent: Consent) -> None:
        """Replace the open consent, if any."""
        of_three: dict[str, Any] = {
            "person_id": consent.person_id,
            "organisation_id": consent.organisation_id,
            "client_id": consent.client_id,
        }
        await self._in.writes.execute(_END_CONSENT, **of_three, now=consent.given_at)
        await self._in.writes.execute(
            _GIVE_CONSENT,
            **of_three,
            given_at=consent.given_at,
            ended_at=None,
            scopes=words(sorted(consent.scopes)),
            claims=consent.claims,
        )

    async def end_consents(
        self,
        now_ms: int,
        *,
        person_id: str | None = None,
        client_id: str | None = None,
        organisation_id: str | None = None,
    ) -> int:
        """End the consents of a person, to a client, or for an organisation: of one of these.

        Raises:
            ValueError: none is given: that would end everybody's; or more than one.
        """
        ways = (
            (_END_OF_PERSON, "person_id", person_id),
            (_END_OF_CLIENT, "client_id", client_id),
            (_END_OF_ORGANISATION, "organisation_id", organisation_id),
        )
        chosen = [way for way in ways if way[2] is not None]
        if len(chosen) != 1:
            raise ValueError("end_consents needs a person, a client or an organisation")
        statement, name, value = chosen[0]
        return await self._in.writes.execute(statement, **{name: value}, now=now_ms)

    async def end_consent(
        self, person_id: str, organisation_id: str, client_id: str, now_ms: int
    ) -> int:
        """End the one in force, if any: how many that were."""
        return await self._in.writes.execute(
            _END_CONSENT,
            person_id=person_id,
            organisation_id=organisation_id,
            client_id=client_id,
            now=now_ms,
        )


def _session_of(row: tuple[Any, ...]) -> Session:
    key, session_id, person_id, assurance, methods, browser, *instants = row
    began_at, signed_in_at, seen_at, expires_at, ended_at = instants
    return Session(
        session_hash=key,
        session_id=session_id,
        person_id=person_id,
        assurance=Assurance(assurance),
        methods=tuple(methods.split()),
        signed_in_at=signed_in_at,
        expires_at=expires_at,
        ended_at=ended_at,
        began_at=began_at,
        seen_at=seen_at,
        browser=browser,
    )
