"""An issuer as a relying party sees it: documents at addresses, keys, a clock. No network."""

from typing import Any

import orjson

from corpid.relying_party import FetchResult, MemoryReplayStore, Policy, RelyingParty
from keys import jws
from keys.signer import LocalSigner, generate
from oidc.formats import sd_jwt
from oidc.formats.status_cwt import CWT_TYP, sign_cwt
from oidc.formats.status_list import StatusList
from oidc.formats.status_token import sign_token, token_claims
from tests.support.sd_jwt_forge import public

NOW = 1_800_000_000
ISSUER = "https://id.example/corp"
CLIENT = "sample-bank"
RESOURCE = "https://api.bank.example"
STATUS_URI = "https://status.example/lists/7"
VCT = f"{ISSUER}/vct/company-identity"
STATE = "state-0123456789"
AUDIENCE, NONCE = "x509_san_dns:bank.example", "nonce-0123456789"

CONFIGURATION = "https://id.example/corp/.well-known/openid-configuration"
JWKS = "https://id.example/corp/jwks"
VC_ISSUER = "https://id.example/.well-known/jwt-vc-issuer/corp"

MANDATE: dict[str, Any] = {
    "type": "hk_corp_mandate",
    "mandate_id": "m-pairwise-1",
    "powers": ["open_account", "pay"],
    "services": [],
    "limit": {"amount": "50000.00", "currency": "HKD"},
    "representation_type": "SOLE",
    "signing_rule": None,
    "valid_from": "2026-01-01",
    "valid_until": "2027-12-31",
    "substitution": "not_allowed",
    "status": {"status_list": {"idx": 9, "uri": STATUS_URI}},
}


class World:
    """The issuer's side, and the relying party's clock and fetch."""

    def __init__(self) -> None:
        self.now = float(NOW)
        self.token_key = generate("ES256")
        self.credential_key = generate("ES256")
        self.status_key = generate("ES256")
        self.holder = generate("ES256")
        self.statuses = StatusList(2, 1000)
        self.requests: list[str] = []
        self.accepted: dict[str, str] = {}
        self.failing: set[str] = set()
        self.headers: dict[str, str] = {}
        self.status_changes: dict[str, Any] = {}
        self.documents: dict[str, Any] = {
            CONFIGURATION: {"issuer": ISSUER, "jwks_uri": JWKS},
            JWKS: {"keys": [self.token_key.public_jwk]},
            VC_ISSUER: {
                "issuer": ISSUER,
                "jwks": {"keys": [self.credential_key.public_jwk, self.status_key.public_jwk]},
            },
        }

    def clock(self) -> float:
        return self.now

    async def fetch(self, url: str, *, accept: str) -> FetchResult:
        self.requests.append(url)
        self.accepted[url] = accept
        if url in self.failing:
            raise OSError("no route")
        if url == STATUS_URI and url not in self.documents:
            wants_cwt = accept.startswith(CWT_TYP)
            token = await (self.status_cwt() if wants_cwt else self.status_token())
            return FetchResult(200, {}, token if isinstance(token, bytes) else token.encode())
        if url not in self.documents:
            return FetchResult(404, {}, b"")
        found = self.documents[url]
        if isinstance(found, FetchResult):
            return found
        return FetchResult(200, self.headers, orjson.dumps(found))

    def party(self, **changes: Any) -> RelyingParty:
        arguments: dict[str, Any] = {
            "client_id": CLIENT,
            "audience": RESOURCE,
            "fetch": self.fetch,
            "clock": self.clock,
            "replay": MemoryReplayStore(self.clock),
            **changes,
        }
        return RelyingParty(arguments.pop("issuer", ISSUER), **arguments)

    def lenient(self, **changes: Any) -> RelyingParty:
        return self.party(policy=Policy(on_undetermined="accept", **changes))

    async def status_token(self, signer: LocalSigner | None = None, **changes: Any) -> str:
        claims = token_claims(
            STATUS_URI,
            self.statuses,
            issued_at=int(self.now),
            expires_at=int(self.now) + 3600,
            ttl=300,
        )
        changed = {**claims, **self.status_changes, **changes}
        return await sign_token(
            signer or self.status_key, {k: v for k, v in changed.items() if v is not ...}
        )

    async def status_cwt(self, signer: LocalSigner | None = None, **changes: Any) -> bytes:
        arguments: dict[str, Any] = {
            "issued_at": int(self.now),
            "expires_at": int(self.now) + 3600,
            "ttl": 300,
            **changes,
        }
        packed = self.statuses.compress()
        used = signer or self.status_key
        return await sign_cwt(used, STATUS_URI, self.statuses.bits, packed, **arguments)

    async def publish_past(self, at: int, **changes: Any) -> None:
        """The list as it is in memory now, as what it was at an instant of the past."""
        made = {"iat": at, "exp": at + 60, **changes}
        token = await self.status_token(**made)
        self.documents[f"{STATUS_URI}?time={at}"] = FetchResult(200, {}, token.encode())

    async def signed(
        self,
        claims: dict[str, Any],
        typ: str | None,
        signer: LocalSigner | None = None,
        header: dict[str, Any] | None = None,
    ) -> str:
        present = {name: value for name, value in claims.items() if value is not ...}
        return await jws.sign(signer or self.token_key, present, typ=typ, header=header)

    async def id_token(self, typ: str | None = "JWT", signer: Any = None, **changes: Any) -> str:
        return await self.signed({**self.id_claims(), **changes}, typ, signer)

    def id_claims(self) -> dict[str, Any]:
        return {
            "iss": ISSUER,
            "aud": CLIENT,
            "iat": int(self.now),
            "exp": int(self.now) + 300,
            "nonce": NONCE,
            "auth_time": int(self.now) - 60,
            "acr": f"{ISSUER}/acr/loa3",
            "amr": ["hwk", "user"],
            "sid": "session-1",
            "sub": "org-pairwise-1",
            "sub_type": "organisation",
            "act": {"sub": "person-pairwise-1", "sub_type": "person"},
            "sub_attributes": {
                "entity_type": "company",
                "entity_reg_number": "01234567",
                "entity_coi": "HK",
                "entity_name": "Sample Kite Trading Limited",
                "entity_name#zh-Hant": "樣本風箏貿易有限公司",
                "entity_name#zh-Hans": "样本风筝贸易有限公司",
                "entity_status": "live",
            },
            "mandate": MANDATE,
        }

    async def access_token(
        self, typ: str | None = "at+jwt", signer: Any = None, **changes: Any
    ) -> str:
        claims = {
            **{name: value for name, value in self.id_claims().items() if name != "nonce"},
            "aud": RESOURCE,
            "client_id": CLIENT,
            "jti": "token-1",
            "scope": "accounts payments",
        }
        return await self.signed({**claims, **changes}, typ, signer)

    async def logout_token(self, typ: str | None = "logout+jwt", **changes: Any) -> str:
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "iat": int(self.now),
            "exp": int(self.now) + 120,
            "jti": "logout-1",
            "sid": "session-1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        return await self.signed({**claims, **changes}, typ)

    async def authorization_response(self, typ: str | None = "JWT", **changes: Any) -> str:
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "iat": int(self.now),
            "exp": int(self.now) + 300,
            "code": "code-1",
            "state": STATE,
        }
        return await self.signed({**claims, **changes}, typ)

    async def userinfo(self, typ: str | None = "JWT", signer: Any = None, **changes: Any) -> str:
        kept = ("iss", "aud", "iat", "sub", "sub_type", "act", "sub_attributes", "mandate")
        claims = {name: value for name, value in self.id_claims().items() if name in kept}
        return await self.signed({**claims, "name": "Sample Clerk", **changes}, typ, signer)

    async def introspection(
        self,
        typ: str | None = "token-introspection+jwt",
        told: Any = None,
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """An answer about an opaque access token; `told` are changes of what is inside."""
        inside = {
            **{name: value for name, value in self.id_claims().items() if name != "nonce"},
            "active": True,
            "aud": RESOURCE,
            "client_id": "sample-client",
            "scope": "accounts payments",
            "token_type": "Bearer",
        }
        if isinstance(told, dict):
            inside |= told
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "iat": int(self.now),
            "token_introspection": {k: v for k, v in inside.items() if v is not ...},
        }
        return await self.signed({**claims, **changes}, typ, header=header)

    async def issued(self, signer: LocalSigner | None = None, **changes: Any) -> str:
        claims = {
            "iss": ISSUER,
            "vct": VCT,
            "iat": int(self.now),
            "exp": int(self.now) + 86_400,
            "legal_person_name": "Sample Kite Trading Limited",
            "brn": "01234567",
            "status": {"status_list": {"idx": 5, "uri": STATUS_URI}},
            **changes,
        }
        return await sd_jwt.issue(
            signer or self.credential_key,
            {name: value for name, value in claims.items() if value is not ...},
            ["legal_person_name", "brn"],
            holder_jwk=public(self.holder),
        )

    async def presentation(
        self, issued: str | None = None, *, audience: str = AUDIENCE, nonce: str = NONCE
    ) -> str:
        shown = sd_jwt.present(issued or await self.issued(), ["legal_person_name"])
        return await sd_jwt.key_binding(
            self.holder, shown, audience=audience, nonce=nonce, now=self.now
        )
