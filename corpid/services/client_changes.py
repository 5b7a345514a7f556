"""Changing a client: a registration made from what is registered, and a client enabled again."""

from collections.abc import Mapping
from typing import Any, Final

from corpid.domain.errors import NotAllowed
from corpid.domain.languages import Names
from corpid.services.client_backchannel import BackchannelAuthentication
from corpid.services.client_metadata import Registration
from corpid.services.client_signing import Signing
from corpid.services.client_tls import Tls
from corpid.services.clients import find_client
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import ClientRecord
from keys.clock import Clock
from oidc.records import EXPECTATIONS

# Members that are only stored where they apply; `about` would keep them when they do no more.
_OPTIONAL: Final = frozenset(EXPECTATIONS) | {
    "backchannel_token_delivery_mode",
    "backchannel_client_notification_endpoint",
    "wallet_provider",
}


def registered(record: ClientRecord) -> Registration:
    """The registration that this client has now, to be changed by ``dataclasses.replace``.

    What is registered and has no place of its own there is in ``about``.
    """
    stored: Mapping[str, Any] = record.metadata
    get = stored.get
    return Registration(
        names=Names(get("client_name"), get("client_name#zh-Hant"), get("client_name#zh-Hans")),
        profile=get("profile", "fapi2"),
        redirect_uris=tuple(get("redirect_uris", ())),
        scopes=tuple(get("scope", "").split()),
        grant_types=tuple(get("grant_types", ())),
        auth_method=get("token_endpoint_auth_method"),
        jwks=get("jwks"),
        sector=record.sector,
        subject=get("subject", "organisation"),
        min_acr=get("min_acr", "loa2"),
        pkce_required=get("pkce_required", True),
        dpop=get("dpop_bound_access_tokens", False),
        pushed_requests=get("require_pushed_authorization_requests", False),
        id_token_alg=get("id_token_signed_response_alg", "ES256"),
        resources=tuple(get("resources", ())),
        serves=tuple(get("serves", ())),
        policy_uri=get("policy_uri"),
        jwks_uri=get("jwks_uri"),
        sector_identifier_uri=get("sector_identifier_uri"),
        assertion_alg=get("token_endpoint_auth_signing_alg"),
        about={name: value for name, value in stored.items() if name not in _OPTIONAL},
        detail_types=tuple(get("authorization_details_types", ())),
        may_act=get("may_act"),
        grant_management=get("grant_management", False),
        wallet_provider=get("wallet_provider"),
        backchannel=BackchannelAuthentication(
            get("backchannel_token_delivery_mode"), get("backchannel_client_notification_endpoint")
        ),
        signing=Signing.of(stored),
        default_max_age=get("default_max_age"),
        default_acr=tuple(get("default_acr_values", ())),
        require_auth_time=get("require_auth_time", False),
        post_logout_redirect_uris=tuple(get("post_logout_redirect_uris", ())),
        backchannel_logout_uri=get("backchannel_logout_uri"),
        backchannel_logout_session_required=get("backchannel_logout_session_required", False),
        tls=Tls(
            expectations={name: stored[name] for name in EXPECTATIONS if name in stored},
            bound_tokens=get("tls_client_certificate_bound_access_tokens", False),
            aliases=get("use_mtls_endpoint_aliases", False),
        ),
    )


async def enable(store: Store, clock: Clock, client_id: str, actor: str) -> None:
    """Let a disabled client work again. What ended with it stays ended.

    In the history nothing is in force between the two.

    Raises:
        NotFound: there is no such client.
        NotAllowed: it is not disabled.
    """
    now_ms = int(clock() * 1000)

    async def work(uow: UnitOfWork) -> None:
        known = await find_client(uow, client_id)
        if known.disabled_at is None:
            raise NotAllowed("this client is not disabled")
        await uow.clients.enable(known, now_ms)
        await uow.operations.audit("client.enabled", {"client_id": client_id, "actor": actor})

    await store.write(work)
