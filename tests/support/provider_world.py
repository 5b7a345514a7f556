"""An authorization server with its clients, a movable clock, and what an honest client sends."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

from keys import base64url, jws
from keys.jwk import JwkSet
from keys.signer import LocalSigner, generate
from oidc.attesters import Attesters
from oidc.provider.backchannel_authentication import BackchannelAuthenticationEndpoint
from oidc.provider.client_keys import ClientKeys
from oidc.provider.context import Provider, ProviderConfig
from oidc.provider.device_authorization import DeviceAuthorizationEndpoint
from oidc.provider.endpoints import TOKEN
from oidc.provider.introspection import IntrospectionEndpoint
from oidc.provider.par import PushedAuthorizationEndpoint
from oidc.provider.revocation import RevocationEndpoint
from oidc.provider.token import TokenEndpoint
from oidc.provider.userinfo import UserInfoEndpoint
from oidc.records import AuthorizationCode, Client, Grant, PreAuthorizedOffer, RefreshToken
from oidc.secrets import Nonces, TokenHasher, client_secret_hash
from tests.support.asgi import Answer, call, post_form
from tests.support.memory_store import MemoryStore
from tests.support.outbound import TableOutbound
from tests.support.plain_delegations import PlainBackchannel, PlainDelegations
from tests.support.plain_host import PlainClaims, PlainDetails

NOW = 1_800_000_000
ISSUER = "https://id.example.hk"
API = "https://api.sample-bank.example"
OTHER_API = "https://api.sample-insurer.example"
REDIRECT = "https://rp.sample-bank.example/callback"
SECRET = "a secret: 100% random + more"
VERIFIER = "v" * 43
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
CIBA = "urn:openid:params:grant-type:ciba"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ALL_GRANTS = frozenset(
    {"authorization_code", "refresh_token", "client_credentials", TOKEN_EXCHANGE}
)
SCOPES = {
    "openid": ("sub", "sub_type", "act"),
    "offline_access": (),
    "mandate": ("mandate",),
    "entity.identity": ("sub_attributes",),
}

_KEYS: dict[str, LocalSigner] = {}


def key(name: str, alg: str = "ES256") -> LocalSigner:
    """A key by name, made once for the whole run."""
    label = f"{name}/{alg}"
    if label not in _KEYS:
        _KEYS[label] = generate(alg)
    return _KEYS[label]


def challenge(verifier: str = VERIFIER) -> str:
    return base64url.encode(hashlib.sha256(verifier.encode()).digest())


def basic(client_id: str, secret: str = SECRET) -> tuple[bytes, bytes]:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return b"authorization", b"Basic " + base64.b64encode(pair)


class StaticSigners:
    def __init__(self) -> None:
        self.shown: dict[str, Any] = {
            "keys": [dict(key("tokens", alg).public_jwk) for alg in ("ES256", "RS256")]
        }

    def signer(self, purpose: str, alg: str) -> LocalSigner:
        assert purpose == "tokens"
        return key("tokens", alg)

    def jwks(self) -> Mapping[str, Any]:
        return self.shown


DETAIL_TYPES = {"plain": PlainDetails(), "other": PlainDetails()}


class World:
    """``config`` changes make another server over the same store."""

    def __init__(
        self, store: Any = None, attesters: Attesters | None = None, **config: Any
    ) -> None:
        self.now: float = NOW
        self.store: Any = store if store is not None else MemoryStore()
        self.outbound = TableOutbound()
        self.delegations = PlainDelegations(self.store)
        settings: dict[str, Any] = {
            "issuer": ISSUER,
            "scopes": SCOPES,
            "acr_values": (f"{ISSUER}/acr/loa1", f"{ISSUER}/acr/loa2"),
            "detail_types": DETAIL_TYPES,
        }
        self.provider = Provider(
            config=ProviderConfig(**{**settings, **config}),
            store=self.store,
            signers=StaticSigners(),
            claims=PlainClaims(),
            delegations=self.delegations,
            backchannel=PlainBackchannel(),
            interactions=None,  # type: ignore[arg-type]
            clock=lambda: self.now,
            random=secrets.token_bytes,
            hasher=TokenHasher(b"k" * 32),
            dpop_nonces=Nonces(b"n" * 32, 300),
            outbound=self.outbound,
            client_keys=ClientKeys(self.outbound, lambda: self.now),
            attesters=attesters,
        )
        self.token_endpoint = TokenEndpoint(self.provider)
        self.par_endpoint = PushedAuthorizationEndpoint(self.provider)
        self.userinfo_endpoint = UserInfoEndpoint(self.provider)
        self.backchannel_endpoint = BackchannelAuthenticationEndpoint(self.provider)
        self.device_endpoint = DeviceAuthorizationEndpoint(self.provider)
        self.introspection_endpoint = IntrospectionEndpoint(self.provider)
        self.revocation_endpoint = RevocationEndpoint(self.provider)
        if store is None:
            for client in clients():
                self.store.tables.clients[client.client_id] = client

    @property
    def tables(self) -> Any:
        return self.store.tables

    @property
    def issuer(self) -> str:
        return self.provider.config.issuer

    def hash(self, value: str) -> bytes:
        return self.provider.hasher.key(value)

    # What an honest client sends.

    def claims(self, client_id: str, /, **changes: Any) -> dict[str, Any]:
        now = int(self.now)
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": self.issuer,
            "jti": secrets.token_hex(8),
            "iat": now,
            "exp": now + 60,
        }
        return without_none({**claims, **changes})

    async def assertion(
        self,
        client_id: str,
        /,
        *,
        signer: LocalSigner | None = None,
        typ: Any = None,
        **changes: Any,
    ) -> str:
        return await jws.sign(signer or key(client_id), self.claims(client_id, **changes), typ=typ)

    async def proving(self, client_id: str, assertion: str | None = None) -> dict[str, str]:
        return {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or await self.assertion(client_id),
        }

    async def proof(
        self,
        *,
        signer: LocalSigner | None = None,
        path: str = TOKEN,
        method: str = "POST",
        token: str | None = None,
        typ: str | None = "dpop+jwt",
        header: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> tuple[bytes, bytes]:
        used = signer or key("dpop")
        jwk = {n: v for n, v in used.public_jwk.items() if n in {"kty", "crv", "x", "y", "n", "e"}}
        claims: dict[str, Any] = {
            "jti": secrets.token_hex(8),
            "htm": method,
            "htu": self.provider.config.url(path),
            "iat": int(self.now),
        }
        if token is not None:
            claims["ath"] = base64url.encode(hashlib.sha256(token.encode()).digest())
        compact = await jws.sign(
            used,
            without_none({**claims, **changes}),
            typ=typ,
            header={"jwk": jwk, **(header or {})},
        )
        return b"dpop", compact.encode()

    # What the other endpoints have left in the store.

    async def add_grant(self, grant_id: str = "g1", **changes: Any) -> Grant:
        given = replace(grant(grant_id, self.now), **changes)
        await self.store.write(lambda writes: writes.add_grant(given))
        return given

    async def add_code(self, code: str = "cid_ac_1", **changes: Any) -> str:
        kept = AuthorizationCode(
            code_hash=self.hash(code),
            grant_id="g1",
            redirect_uri=REDIRECT,
            code_challenge=challenge(),
            dpop_jkt=None,
            expires_at=int(self.now * 1000) + 60_000,
        )
        await self.store.write(lambda writes: writes.add_code(replace(kept, **changes)))
        return code

    async def add_refresh_token(self, token: str = "cid_rt_1", **changes: Any) -> str:
        now_ms = int(self.now * 1000)
        kept = RefreshToken(self.hash(token), "g1", None, now_ms, now_ms + 1_000_000)
        await self.store.write(lambda writes: writes.add_refresh_token(replace(kept, **changes)))
        return token

    def add_offer(self, code: str = "cid_pc_1", tx_code: str | None = "4711") -> str:
        self.tables.offers["o1"] = PreAuthorizedOffer(
            offer_id="o1",
            code_hash=self.hash(code),
            transaction_code_hash=self.hash(tx_code) if tx_code else None,
            wrong_tries=0,
            subject="org-1",
            actor="person-1",
            authority="mandate-1",
            configuration_ids=("company-identity",),
            expires_at=int(self.now * 1000) + 600_000,
            used_at=None,
            ended_at=None,
        )
        return code

    def change_client(self, client_id: str, **changes: Any) -> None:
        """Register the client anew."""
        record = self.tables.clients[client_id]
        self.tables.clients[client_id] = replace(record, **changes)

    # Requests.

    async def token(
        self,
        client_id: str | None,
        form: Mapping[str, str],
        *headers: tuple[bytes, bytes],
    ) -> Answer:
        """POST /token; ``client_id`` authenticates by assertion, None not at all."""
        proving = await self.proving(client_id) if client_id else {}
        return await post_form(self.token_endpoint, {**proving, **form}, headers=headers)

    async def redeem(
        self, code: str, client_id: str, /, *headers: tuple[bytes, bytes], **changes: Any
    ) -> Answer:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        }
        return await self.token(client_id, without_none({**form, **changes}), *headers)

    async def machine_token(self, client_id: str = "service", **form: str) -> str:
        answer = await self.token(
            client_id, {"grant_type": "client_credentials", "resource": API, **form}
        )
        assert answer.status == 200, answer.body
        return str(answer.json["access_token"])

    async def userinfo(self, method: str = "GET", *headers: tuple[bytes, bytes]) -> Answer:
        return await call(self.userinfo_endpoint, method, headers=headers)


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def grant(grant_id: str, now: float) -> Grant:
    return Grant(
        grant_id=grant_id,
        client_id="bank",
        grant_type="authorization_code",
        subject="org-1",
        actor="person-1",
        authority="mandate-1",
        session_id="session-1",
        scope=("openid", "mandate", "offline_access"),
        resource=(),
        claims={},
        authorization_details=(),
        nonce="n-0S6_WzA2Mj",
        acr=f"{ISSUER}/acr/loa2",
        amr=("pwd", "otp"),
        auth_time=int(now) - 30,
        created_at=int(now * 1000),
        expires_at=int(now * 1000) + 86_400_000,
    )


def client(client_id: str, **changes: Any) -> Client:
    usual = Client(
        client_id=client_id,
        profile="oidc",
        names={"en": "Sample Kite Trading Limited"},
        redirect_uris=(REDIRECT,),
        scopes=frozenset(SCOPES) | {"payments"},
        grant_types=ALL_GRANTS,
        token_endpoint_auth_method="private_key_jwt",
        jwks=JwkSet.parse({"keys": [dict(key(client_id).public_jwk)]}),
        secret_hash=None,
        sector=f"{client_id}.example",
        resources=frozenset({API, OTHER_API}),
        authorization_details_types=frozenset({"plain"}),
    )
    return replace(usual, **changes)


def clients() -> list[Client]:
    secret = {"jwks": None, "secret_hash": client_secret_hash(SECRET)}
    return [
        client("bank", profile="fapi2", dpop_bound_access_tokens=True),
        client("other-bank", profile="fapi2", dpop_bound_access_tokens=True),
        client("signer", profile="fapi2-message-signing", dpop_bound_access_tokens=True),
        client("service"),
        client("legacy", token_endpoint_auth_method="client_secret_basic", **secret),
        client("poster", token_endpoint_auth_method="client_secret_post", **secret),
        client("api", serves=frozenset({API}), resources=frozenset(), grant_types=frozenset()),
    ]
