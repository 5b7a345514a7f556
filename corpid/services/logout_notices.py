"""Who must be told that a sign-in session, or a part of it, has ended: into the outbox.

Written in the transaction that ends it, one message for each client and session, so that what is
acknowledged is also told, whatever happens to this process. Sent by ``logout_delivery``.
"""

from collections.abc import Iterable
from typing import Any, Final

import orjson

from corpid.domain.identifiers import ordered_id
from corpid.services.ports import UnitOfWork
from corpid.services.records import ClientSession, OutboxMessage
from keys.clock import Random

TOPIC: Final = "backchannel_logout"
_REPRESENTATIVE: Final = "representative"


async def tell(
    uow: UnitOfWork, sessions: Iterable[ClientSession], now_ms: int, random: Random
) -> int:
    """Have these clients told; the number of messages.

    A client that registered no address for it hears nothing, a disabled one neither: it is not
    spoken to any more. Where ``sub`` is the organisation, a session is told of once, whatever
    organisations were acted for in it.
    """
    messages: dict[tuple[str, ...], dict[str, Any]] = {}
    for one in dict.fromkeys(sessions):
        client = await uow.provider_reads.client(one.client_id)
        if client is None or client.backchannel_logout_uri is None:
            continue
        body = {"session_id": one.session_id}
        key: tuple[str, ...] = (one.client_id, one.session_id)
        if client.subject == _REPRESENTATIVE:
            body |= {"organisation_id": one.subject, "person_id": one.actor}
            key = (*key, one.subject, one.actor)
        messages[key] = body
    for key, body in messages.items():
        await uow.operations.enqueue(
            OutboxMessage(
                message_id=ordered_id(now_ms, random),
                topic=TOPIC,
                body=orjson.dumps(body, option=orjson.OPT_SORT_KEYS),
                created_at=now_ms,
                due_at=now_ms,
                recipient=key[0],
            )
        )
    return len(messages)
