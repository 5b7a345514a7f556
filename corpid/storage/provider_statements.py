"""The statements behind the authorization server's port."""

from typing import Final

from sqlalchemy import and_, bindparam, case, or_, select

from corpid.storage.constructs import (
    adding,
    adding_once,
    changing,
    counting,
    finding,
    given,
    table,
)
from corpid.storage.statement import Statement

_client = table("client")
_policy = table("client_policy")
_change = table("change")
_registration = table("client_registration")
_pushed = table("pushed_request")
_grant = table("authorization_grant")
_code = table("authorization_code")
_access = table("access_token")
_refresh = table("refresh_token")
_offer = table("credential_offer")
_narrowed = table("narrowed_token")
_replay = table("replay")
_managed = table("managed_grant")

# The counter and the client in one statement, so that both are of one moment.
CLIENT: Final = Statement(
    select(
        select(_change.c.value)
        .where(_change.c.topic == "clients")
        .scalar_subquery()
        .label("version"),
        _client.c.client_id,
        _client.c.sector,
        _policy.c.metadata_json,
        _policy.c.secret_hash,
        _registration.c.client_id.label("registered_itself"),
    )
    .join_from(_client, _policy, _client.c.client_id == _policy.c.client_id)
    .outerjoin(_registration, _client.c.client_id == _registration.c.client_id)
    .where(
        given(_client.c.client_id),
        _client.c.disabled_at.is_(None),
        _policy.c.ended_at.is_(None),
    )
)

PUSHED_REQUEST: Final = finding(_pushed, given(_pushed.c.request_hash))
ADD_PUSHED_REQUEST: Final = adding(_pushed)
OPEN_PUSHED_REQUESTS: Final = counting(
    _pushed,
    given(_pushed.c.client_id),
    _pushed.c.expires_at > bindparam("now"),
    _pushed.c.used_at.is_(None),
    _pushed.c.counted.is_not(None),
)
CLAIM_PUSHED_REQUEST: Final = changing(
    _pushed,
    given(_pushed.c.request_hash),
    _pushed.c.used_at.is_(None),
    used_at=bindparam("now"),
)

CODE: Final = Statement(
    select(*_code.c, *_grant.c)
    .join_from(_code, _grant, _code.c.grant_id == _grant.c.grant_id)
    .where(given(_code.c.code_hash))
)
ADD_CODE: Final = adding(_code)
CLAIM_CODE: Final = changing(
    _code, given(_code.c.code_hash), _code.c.used_at.is_(None), used_at=bindparam("now")
)

REFRESH_TOKEN: Final = Statement(
    select(*_refresh.c, *_grant.c)
    .join_from(_refresh, _grant, _refresh.c.grant_id == _grant.c.grant_id)
    .where(given(_refresh.c.token_hash))
)
ADD_REFRESH_TOKEN: Final = adding(_refresh)
CLAIM_REFRESH_TOKEN: Final = changing(
    _refresh,
    given(_refresh.c.token_hash),
    _refresh.c.rotated_at.is_(None),
    rotated_at=bindparam("now"),
)

# A token that names a grant which is not there is not found.
ACCESS_TOKEN: Final = Statement(
    select(*_access.c, *_grant.c)
    .join_from(_access, _grant, _access.c.grant_id == _grant.c.grant_id, isouter=True)
    .where(
        given(_access.c.token_hash),
        or_(_access.c.grant_id.is_(None), _grant.c.grant_id.is_not(None)),
    )
)
ADD_ACCESS_TOKEN: Final = adding(_access)
END_ACCESS_TOKEN: Final = changing(
    _access,
    given(_access.c.token_hash),
    _access.c.ended_at.is_(None),
    ended_at=bindparam("now"),
)
NARROWED_TOKEN: Final = finding(_narrowed, given(_narrowed.c.token_hash))
ADD_NARROWED_TOKEN: Final = adding(_narrowed)

ADD_GRANT: Final = adding(_grant)
GRANT_END: Final = Statement(
    select(_grant.c.ended_at, _grant.c.expires_at).where(given(_grant.c.grant_id))
)
# Ends everything of the grant: codes and tokens are read together with it. One row is written,
# and a token that another transaction adds at the same moment is dead as well.
END_GRANT: Final = changing(
    _grant,
    given(_grant.c.grant_id),
    _grant.c.ended_at.is_(None),
    ended_at=bindparam("now"),
    end_reason=bindparam("reason"),
)

MANAGED_GRANT: Final = Statement(
    select(*_grant.c)
    .join_from(_managed, _grant, _managed.c.grant_id == _grant.c.grant_id)
    .where(given(_managed.c.handle), _managed.c.ended_at.is_(None))
)
ADD_MANAGED_GRANT: Final = adding(_managed)
# Both change the handle's row before the grant's: whoever comes second waits here, and then sees
# that the handle has ended, or stands for another grant.
TAKE_PLACE: Final = changing(
    _managed,
    given(_managed.c.handle),
    given(_managed.c.grant_id, "old_id"),
    _managed.c.ended_at.is_(None),
    grant_id=bindparam("new_id"),
    expires_at=bindparam("until"),
)
END_MANAGED_GRANT: Final = Statement(
    _managed.update()
    .where(given(_managed.c.handle), _managed.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(_managed.c.grant_id)
)

OFFER: Final = Statement(
    select(
        _offer.c.offer_id,
        _offer.c.code_hash,
        _offer.c.transaction_code_hash,
        _offer.c.wrong_tries,
        _offer.c.organisation_id,
        _offer.c.person_id,
        _offer.c.authority,
        _offer.c.credential_types,
        _offer.c.expires_at,
        _offer.c.used_at,
        _offer.c.ended_at,
        _offer.c.next_try_at,
    ).where(given(_offer.c.code_hash))
)
_OFFER_OPEN: Final = and_(_offer.c.used_at.is_(None), _offer.c.ended_at.is_(None))
CLAIM_OFFER: Final = changing(
    _offer, given(_offer.c.offer_id), _OFFER_OPEN, used_at=bindparam("now")
)
COUNT_WRONG_TRANSACTION_CODE: Final = Statement(
    _offer.update()
    .where(given(_offer.c.offer_id), _OFFER_OPEN)
    .values(
        wrong_tries=_offer.c.wrong_tries + 1,
        next_try_at=bindparam("next_try_at", type_=_offer.c.next_try_at.type),
        ended_at=case(
            (
                _offer.c.wrong_tries + 1 >= bindparam("limit"),
                bindparam("now", type_=_offer.c.ended_at.type),
            ),
            else_=None,
        ),
    )
    .returning(_offer.c.ended_at)
)

USE_ONCE: Final = adding_once(_replay)
