"""Grants that clients manage (Grant Management for OAuth 2.0, draft 03, which is ID1): requests.

A client that is registered for it knows each of its grants by a handle, the ``grant_id`` of the
token response. Merging and replacing make another grant under the same handle, and end the one
before with its tokens in the same transaction: what was authorised is never overwritten.

A merge asks the person for the whole that comes of it. So the authority that they act by must
cover all of it, and only what they have not agreed to before needs a page.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from keys.clock import Random
from oidc.errors import InvalidGrantId, InvalidRequest
from oidc.ports import Approval, AuthorizationRequest, ProviderReads, ProviderWrites
from oidc.provider import authorization_details, resources
from oidc.provider.context import ProviderConfig
from oidc.records import Client, Grant
from oidc.secrets import GRANT_HANDLE, new_token

CREATE: Final = "create"
MERGE: Final = "merge"
REPLACE: Final = "replace"
ACTIONS: Final = (CREATE, MERGE, REPLACE)
"""What an authorization request may ask for (5.2)."""

QUERY_SCOPE: Final = "grant_management_query"
REVOKE_SCOPE: Final = "grant_management_revoke"
API_SCOPES: Final = (QUERY_SCOPE, REVOKE_SCOPE)
"""Scopes of the client's own access tokens for the API (6.1); no person is asked for them."""

MAX_CLAIM_NAMES: Final = 100
_HANDLE: Final = re.compile(re.escape(GRANT_HANDLE) + r"[A-Za-z0-9_-]{43}")
_REASONS: Final = {MERGE: "merged", REPLACE: "replaced"}
_UNKNOWN: Final = "the grant_id is unknown or over, or it is another client's"


def requested(parameters: Mapping[str, str], client: Client) -> tuple[str | None, str | None]:
    """The action and the grant_id of an authorization request, as far as they are there.

    Raises:
        InvalidRequest: the client may not, or the two do not go together (5.4).
        InvalidGrantId: it cannot be one of ours.
    """
    action = parameters.get("grant_management_action")
    grant_id = parameters.get("grant_id")
    if action is None and grant_id is None:
        return None, None
    if not client.grant_management or client.is_public:
        raise InvalidRequest("this client is not registered for grant management")
    if action not in ACTIONS:
        raise InvalidRequest(f"grant_management_action is one of {', '.join(ACTIONS)}")
    if action == CREATE:
        if grant_id is not None:
            raise InvalidRequest("grant_management_action=create goes without a grant_id")
        return action, None
    if grant_id is None:
        raise InvalidRequest(f"grant_management_action={action} needs a grant_id")
    if not is_handle(grant_id):
        raise InvalidGrantId(_UNKNOWN)
    return action, grant_id


def refuse(parameters: Mapping[str, str]) -> None:
    """Refuse grant management where it is not offered: a wish passed over would mislead.

    Raises:
        InvalidRequest: the request asks for it.
    """
    if "grant_management_action" in parameters or "grant_id" in parameters:
        raise InvalidRequest("grant management is for authorization requests with a code")


def is_handle(value: str) -> bool:
    """Whether a text could be a grant_id of ours."""
    return _HANDLE.fullmatch(value) is not None


async def resolved(
    request: AuthorizationRequest, reads: ProviderReads, config: ProviderConfig, now_ms: int
) -> AuthorizationRequest:
    """A request that names a grant, with that grant; a merging one asks for all of the two.

    Raises:
        InvalidGrantId: there is no such grant of this client, or it is over.
        InvalidRequest: the two together are too much.
    """
    assert request.grant_id is not None
    found = await reads.managed_grant(request.grant_id)
    if found is None or found.client_id != request.client.client_id or not found.is_live(now_ms):
        raise InvalidGrantId(_UNKNOWN)
    if request.grant_action == REPLACE:
        return replace(request, amends=found)
    return _merged(request, found, config)


def check_approved(request: AuthorizationRequest, approval: Approval) -> Grant | None:
    """The grant that gives way to the approved one, if one does.

    Raises:
        InvalidGrantId: it was given by another person, or is about another subject.
    """
    if request.grant_id is None:
        return None
    amends = request.amends
    if amends is None or (amends.subject, amends.actor) != (approval.subject, approval.actor):
        raise InvalidGrantId("the grant is of another person, or about another organisation")
    return amends


def handle_for(request: AuthorizationRequest, random: Random) -> str | None:
    """The handle of the grant that comes of a request; None for clients that manage none."""
    if request.amends is not None:
        return request.amends.handle
    if not request.client.grant_management:
        return None
    return new_token(GRANT_HANDLE, random)


def handled_since(request: AuthorizationRequest) -> int | None:
    """When the first grant under the same handle was made; None for a first one."""
    amends = request.amends
    if amends is None:
        return None
    return amends.created_at if amends.handled_since is None else amends.handled_since


async def keep(
    writes: ProviderWrites, grant: Grant, request: AuthorizationRequest, now_ms: int
) -> None:
    """Let the handle stand for the new grant, and end the one before.

    Raises:
        InvalidGrantId: that one has ended, or another request was quicker; roll back.
    """
    amends = request.amends
    if amends is None:
        await writes.add_handle(grant)
        return
    assert request.grant_action is not None
    reason = _REASONS[request.grant_action]
    if not await writes.take_place(grant, amends.grant_id, now_ms, reason):
        raise InvalidGrantId("the grant has ended or changed meanwhile: query it and ask again")


def _merged(
    request: AuthorizationRequest, before: Grant, config: ProviderConfig
) -> AuthorizationRequest:
    """What the grant has and may still have, then what is asked for besides."""
    client = request.client
    scopes = config.scopes.keys() & client.scopes
    scope = (*(one for one in before.scope if one in scopes), *request.scope)
    places = (
        one for one in before.resource if one in client.resources or resources.is_own(one, config)
    )
    resource = tuple(dict.fromkeys((*places, *request.resource)))
    details = list(authorization_details.again(before.authorization_details, client, config))
    details += [one for one in request.authorization_details if one not in details]
    claims: dict[str, Any] = {
        place: {**before.claims.get(place, {}), **request.claims.get(place, {})}
        for place in ("id_token", "userinfo")
        if place in before.claims or place in request.claims
    }
    if (
        len(resource) > resources.MAX_RESOURCES
        or len(details) > authorization_details.MAX_DETAILS
        or any(len(names) > MAX_CLAIM_NAMES for names in claims.values())
    ):
        raise InvalidRequest("the grant would have too much: replace it, or create another one")
    return replace(
        request,
        amends=before,
        scope=tuple(dict.fromkeys(scope)),
        resource=resource,
        claims=claims,
        authorization_details=tuple(details),
    )
