"""Interactions about requests that no browser brought: how they are kept, and found again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from corpid.services.ports import UnitOfWork
from keys import base64url
from oidc.records import PolledRequest


@dataclass(frozen=True, slots=True)
class Polled:
    """What an interaction is about when no browser is sent back: a device's, or a client's (CIBA).

    ``user_code`` is shown until it is ``confirmed``; empty where there is none.
    """

    record: PolledRequest
    user_code: str
    confirmed: bool


def kept_polled(polled: Polled) -> str:
    """What an interaction keeps of it."""
    kept = {
        "polled": base64url.encode(polled.record.code_hash),
        "user_code": polled.user_code,
        "confirmed": polled.confirmed,
    }
    return orjson.dumps(kept).decode()


async def find_polled(uow: UnitOfWork, kept: Mapping[str, Any], now_ms: int) -> Polled | None:
    """What an interaction is about; None when it was answered, or has expired."""
    found = await uow.provider_reads.polled_request(base64url.decode(kept["polled"]))
    if found is None or not found[0].is_open(now_ms):
        return None
    return Polled(found[0], kept["user_code"], kept["confirmed"])
