"""Consent: what a person, for an organisation, agreed that a client is told.

It is remembered for exactly these three. A request for no more than was agreed needs no page.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import Consent
from oidc.ports import AuthorizationRequest, Detail
from oidc.records import OFFLINE_ACCESS

REMEMBERED_DETAILS: Final = 20
"""How many authorization details of earlier requests a consent remembers; each exactly."""
_DETAIL: Final = "detail:"


def requested_extras(request: AuthorizationRequest) -> frozenset[str]:
    """What is asked for beyond the scopes: single claims, resources, authorization details."""
    extras = {
        f"claim:{name}"
        for wanted in request.claims.values()
        for name in wanted
        if name not in {"sub", "acr", "auth_time"}  # these say nothing new of anybody
    }
    extras |= {f"resource:{resource}" for resource in request.resource}
    extras |= {_detail(detail) for detail in request.authorization_details}
    return frozenset(extras)


def covers(consent: Consent | None, request: AuthorizationRequest) -> bool:
    """Whether an earlier consent covers everything that the request asks for."""
    if consent is None or not set(request.scope) <= consent.scopes:
        return False
    return requested_extras(request) <= _extras(consent)


class Consents:
    """Remembers consents."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def is_given(
        self, person_id: str, organisation_id: str, request: AuthorizationRequest
    ) -> bool:
        """Whether this person, for this organisation, need not be asked again."""
        consent = await self._store.read.sign_ins.consent(
            person_id, organisation_id, request.client.client_id
        )
        return covers(consent, request)

    @staticmethod
    async def give(
        uow: UnitOfWork,
        person_id: str,
        organisation_id: str,
        request: AuthorizationRequest,
        now_ms: int,
    ) -> None:
        """Add what the request asks for to what was agreed before, inside a write."""
        client_id = request.client.client_id
        before = await uow.sign_ins.consent(person_id, organisation_id, client_id)
        scopes = frozenset(request.scope) | (before.scopes if before else frozenset())
        extras = _added(_extras(before) if before else frozenset(), requested_extras(request))
        await uow.sign_ins.give_consent(
            Consent(
                person_id=person_id,
                organisation_id=organisation_id,
                client_id=client_id,
                scopes=scopes,
                claims=orjson.dumps(sorted(extras)).decode() if extras else "",
                given_at=now_ms,
            )
        )
        facts: Mapping[str, Any] = {
            "person_id": person_id,
            "organisation_id": organisation_id,
            "client_id": client_id,
            "scopes": sorted(scopes),
            "extras": sorted(extras),
            "offline": OFFLINE_ACCESS in scopes,
        }
        await uow.operations.audit("consent.given", facts)


def _detail(detail: Detail) -> str:
    return _DETAIL + orjson.dumps(detail, option=orjson.OPT_SORT_KEYS).decode()


def _added(before: frozenset[str], now: frozenset[str]) -> frozenset[str]:
    """Both; of the authorization details before only some, for amounts and days never repeat."""
    details = sorted(one for one in before - now if one.startswith(_DETAIL))
    return (before - frozenset(details[REMEMBERED_DETAILS:])) | now


def _extras(consent: Consent) -> frozenset[str]:
    return frozenset(orjson.loads(consent.claims)) if consent.claims else frozenset()
