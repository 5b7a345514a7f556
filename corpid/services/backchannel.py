"""Backchannel authentication (CIBA): whom a hint means, what waits for a person, pings."""

from collections.abc import Mapping
from typing import Final

import orjson

from corpid.domain.business_number import InvalidBusinessNumber, parse_business_number
from corpid.domain.identifiers import ordered_id
from corpid.services.authorities import authorities_of
from corpid.services.id_token_hints import IdTokenHints
from corpid.services.organisations import SCHEMES
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import OutboxMessage
from corpid.services.sign_in import canonical_username
from keys import base64url
from keys.clock import Clock, Random
from keys.sealing import MasterKey
from oidc.errors import UnknownUserId
from oidc.provider.backchannel import HintedUser
from oidc.provider.grants.ciba import GRANT_TYPE
from oidc.records import Client, PolledRequest

TOPIC: Final = "ciba-ping"
_BRN: Final = "brn:"
_CONTEXT: Final = "backchannel-notification"


class BackchannelUsers:
    """``oidc.ports.Backchannel``.

    A ``login_hint`` is a user name, a business (``brn:12345678``), or both with a blank between:
    then that person acts for that business. A business alone means whoever may act for it.
    """

    def __init__(self, store: Store, master: MasterKey, hints: IdTokenHints) -> None:
        self._store = store
        self._master = master
        self._hints = hints

    async def identify(self, login_hint: str) -> HintedUser:
        """See ``Backchannel.identify``."""
        names: list[str] = []
        numbers: list[str] = []
        for word in login_hint.split():
            (numbers if word.lower().startswith(_BRN) else names).append(word)
        if len(names) > 1 or len(numbers) > 1 or not (names or numbers):
            raise UnknownUserId("login_hint is a user name, brn: with a number, or both")
        actor = await self._person(names[0]) if names else None
        subject = await self._organisation(numbers[0]) if numbers else None
        return HintedUser(subject, actor, numbers[0] if numbers else names[0])

    async def identify_by_id_token(self, id_token_hint: str, client: Client) -> HintedUser:
        """See ``Backchannel.identify_by_id_token``.

        What a client sees of a person and a business cannot be computed back, so the sign-ins that
        it had at that second are looked at: as long as one of them is on record. Person and
        business have to be the same pair: ``sub`` alone is the business, and all its people.
        """
        hint = self._hints.read(id_token_hint, client)
        found: list[tuple[str, str]] = []
        if hint.auth_time is not None:
            found = await self._store.read.grants.signed_in_at(client.client_id, hint.auth_time)
        for actor, subject in found:
            if self._hints.is_person(hint, client, actor) and (
                self._hints.subject(client, actor, subject) == hint.sub
            ):
                person = await self._store.read.people.by_id(actor)
                if person is not None and person.closed_at is None:
                    return HintedUser(subject, actor, None)
        raise UnknownUserId("who the id_token_hint was for is not known here any more")

    def seal(self, code_hash: bytes, told: bytes) -> bytes:
        """See ``Backchannel.seal``."""
        return self._master.seal(told, _context(code_hash))

    async def _person(self, name: str) -> str:
        found = await self._store.read.people.by_username(canonical_username(name))
        person = None
        if found is not None:
            person = await self._store.read.people.by_id(found.person_id)
        if person is None or person.closed_at is not None:
            raise UnknownUserId("login_hint names nobody who is known here")
        return person.person_id

    async def _organisation(self, hint: str) -> str:
        try:
            number = parse_business_number(hint[len(_BRN) :])
        except InvalidBusinessNumber:
            raise UnknownUserId("login_hint names no business by its number") from None
        found = await self._store.read.organisations.by_number(SCHEMES[number.kind], number.value)
        if found is None or not found.is_live:
            raise UnknownUserId("login_hint names no business that is known and live here")
        return found.organisation_id


class WaitingRequests:
    """What waits for one person's answer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, person_id: str) -> list[PolledRequest]:
        """Requests to this person, and to a business for which they may act now; oldest first."""
        now_ms = int(self._clock() * 1000)
        found = await self._store.read.polled_requests.waiting_for(GRANT_TYPE, person_id, now_ms)
        businesses = {
            one.organisation.organisation_id
            for one in await authorities_of(self._store.read, person_id, now_ms)
        }
        for organisation_id in sorted(businesses):
            found += await self._store.read.polled_requests.waiting_at(
                GRANT_TYPE, organisation_id, now_ms
            )
        return sorted(found, key=lambda one: one.created_at)


async def tell(uow: UnitOfWork, polled: PolledRequest, now_ms: int, random: Random) -> None:
    """Have the client told that there is an answer, if it wants to be (10.2)."""
    if polled.sealed is None:
        return
    body = {
        "code": base64url.encode(polled.code_hash),
        "sealed": base64url.encode(polled.sealed),
        "until": polled.expires_at,
    }
    await uow.operations.enqueue(
        OutboxMessage(
            message_id=ordered_id(now_ms, random),
            topic=TOPIC,
            body=orjson.dumps(body, option=orjson.OPT_SORT_KEYS),
            created_at=now_ms,
            due_at=now_ms,
            recipient=polled.client_id,
        )
    )


def opened(master: MasterKey, body: Mapping[str, str]) -> Mapping[str, str]:
    """What is told: ``auth_req_id`` and ``client_notification_token``."""
    code_hash = base64url.decode(body["code"])
    told: Mapping[str, str] = orjson.loads(
        master.open(base64url.decode(body["sealed"]), _context(code_hash))
    )
    return told


def _context(code_hash: bytes) -> str:
    return f"{_CONTEXT}/{base64url.encode(code_hash)}"
