"""A credential issuer over the real store, with a business, its people, and a wallet."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from corpid.domain.credential import Credential
from corpid.domain.languages import Names, negotiate
from corpid.domain.mandate import (
    Side,
)
from corpid.domain.organisation import (
    Identifier,
    IdentifierScheme,
)
from corpid.domain.person import Person
from corpid.services.bootstrap import initialise, is_initialised
from corpid.services.credential_catalogue import configurations
from corpid.services.credentials import MOST_LIVE, CredentialIssuance
from corpid.services.deferrals import ApprovalPolicy
from corpid.services.key_rings import KeyRings
from corpid.services.offers import Offers
from corpid.services.ports import UnitOfWork
from corpid.services.revocation import Revocation
from corpid.services.status_lists import StatusAllocator
from corpid.services.status_publisher import StatusPublisher
from corpid.services.step_up import StepUp
from corpid.storage import migrations
from corpid.storage.database import Database, open_database
from corpid.storage.store import SqlStore
from keys import base64url, jws
from keys.jwk import JwkSet
from keys.sealing import MasterKey
from keys.signer import LocalSigner, generate
from oidc.issuer.context import Issuer, IssuerConfig
from oidc.issuer.credential import CredentialEndpoint
from oidc.issuer.deferred import DeferredCredentialEndpoint
from oidc.issuer.encoders import by_format
from oidc.issuer.encryption import EncryptionPolicy
from oidc.issuer.mdoc import MdocEncoder
from oidc.issuer.nonce import NonceEndpoint
from oidc.issuer.notification import NotificationEndpoint
from oidc.issuer.sd_jwt_vc import SdJwtVcEncoder
from oidc.issuer.vc_jwt import VcJwtEncoder
from oidc.records import AccessToken, Grant
from oidc.secrets import ACCESS_TOKEN, Nonces, TokenHasher, new_token
from tests.support.asgi import Answer, call
from tests.support.issuer_facts import (
    AGENT,
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    REPRESENTATION,
    mandate,
    registration,
    representation,
)

MASTER = MasterKey(b"m" * 32)
NOW = 1_800_000_000.0
ISSUER = "https://id.example.hk"
STATUS_URL = f"{ISSUER}/status"
JSON = (b"content-type", b"application/json")
SCOPES = ("credential.company_identity", "credential.representative")


class World:
    """``clock`` is ``now``; move it at will."""

    def __init__(
        self,
        database: Database,
        *,
        issuer: str = ISSUER,
        master: MasterKey | None = None,
        nonce_required: bool = False,
        batch_size: int = 10,
        encryption: EncryptionPolicy | None = None,
        haip: bool = False,
        approval: frozenset[str] = frozenset(),
        most_live: int = MOST_LIVE,
    ) -> None:
        self.now = NOW
        self.database = database
        self.master = master or MASTER
        self.store = SqlStore(database, self.clock, secrets.token_bytes)
        self.keys = KeyRings(self.store, self.master, self.clock)
        self.hasher = TokenHasher(b"h" * 32)
        self.allocator = StatusAllocator(self.store, self.master, self.clock, secrets.token_bytes)
        self.offers = Offers(self.store, self.hasher, issuer, self.clock, secrets.token_bytes)
        self.publisher = StatusPublisher(self.store, self.keys, self.clock, STATUS_URL)
        self.revocation = Revocation(self.store, self.clock, secrets.token_bytes)
        parts = (self.store, self.allocator, self.offers, self.clock, secrets.token_bytes)
        step_up = StepUp(f"{issuer}/acr")
        self.issuance = CredentialIssuance(
            *parts,
            STATUS_URL,
            step_up,
            haip=haip,
            approval=ApprovalPolicy(approval),
            most_live=most_live,
        )
        self.issuer = Issuer(
            config=IssuerConfig(
                issuer=issuer,
                configurations=configurations(f"{issuer}/vct"),
                names={"en": "Corp ID", "zh-Hant": "企業身分", "zh-Hans": "企业身份"},
                choose_language=lambda text: negotiate(None, text),
                dpop_nonce_required=nonce_required,
                batch_size=batch_size,
                encryption=encryption,
                haip=haip,
                deferred=bool(approval),
            ),
            store=self.issuance,
            keys=self.keys,
            encoders=by_format(
                SdJwtVcEncoder(issuer, secrets.token_bytes),
                MdocEncoder(secrets.token_bytes),
                VcJwtEncoder(issuer),
            ),
            clock=self.clock,
            random=secrets.token_bytes,
            hasher=self.hasher,
            dpop_nonces=Nonces(b"d" * 32, 300),
            credential_nonces=Nonces(b"c" * 32, 300),
        )
        self.credential = CredentialEndpoint(self.issuer)
        self.deferred = DeferredCredentialEndpoint(self.issuer)
        self.nonce = NonceEndpoint(self.issuer)
        self.notification = NotificationEndpoint(self.issuer)

    def clock(self) -> float:
        return self.now

    def now_ms(self) -> int:
        return int(self.now * 1000)

    async def prepare(self) -> "World":
        """A director by the register; a clerk under a mandate. The database may have them."""
        if not await is_initialised(self.store):
            await initialise(self.store, self.master, ISSUER, self.clock, secrets.token_bytes)
            await self.store.write(self._people)
        await self.keys.reload()
        return self

    async def _people(self, uow: UnitOfWork) -> None:
        now_ms = self.now_ms()
        for organisation_id, number, name in (
            (ORGANISATION, "12345678", "Sample Kite Trading Limited"),
            (AGENT, "87654321", "Sample Secretarial Services Limited"),
        ):
            await uow.organisations.add(
                organisation_id,
                Identifier(IdentifierScheme.HK_BRN, number, now_ms, None, "sample", "2026-11-01"),
                registration(organisation_id, name, now_ms),
            )
        for person_id, name in ((PERSON, "Sample Person One"), (CLERK, "Sample Person Two")):
            await uow.people.add(Person(person_id, Names(en=name), None, None, now_ms))
        await uow.authority.add_representation(
            representation(REPRESENTATION, ORGANISATION, PERSON, now_ms)
        )
        await uow.authority.add_mandate(
            mandate(now_ms, mandate_id=MANDATE), Side.GRANTOR, "operator:test"
        )

    async def grant(
        self,
        person_id: str = PERSON,
        authority: str | None = REPRESENTATION,
        *,
        wallet: "Wallet | None" = None,
        scope: tuple[str, ...] = SCOPES,
        client_id: str = "",
        details: tuple[Mapping[str, Any], ...] = (),
        organisation_id: str = ORGANISATION,
        x5t: str | None = None,
    ) -> str:
        """An access token for the wallet's DPoP key, as the token endpoint would make it."""
        wallet = wallet or self.wallet()
        token = new_token(ACCESS_TOKEN, secrets.token_bytes)
        now_ms = self.now_ms()
        grant = Grant(
            grant_id=secrets.token_hex(8),
            client_id=client_id,
            grant_type="urn:ietf:params:oauth:grant-type:pre-authorized_code",
            subject=organisation_id,
            actor=person_id,
            authority=authority,
            session_id=None,
            scope=scope,
            resource=(),
            claims={},
            authorization_details=details,
            nonce=None,
            acr=None,
            amr=(),
            auth_time=None,
            created_at=now_ms,
            expires_at=now_ms + 300_000,
        )
        access = AccessToken(
            token_hash=self.hasher.key(token),
            grant_id=grant.grant_id,
            client_id=client_id,
            scope=scope,
            audience="",
            jkt=wallet.dpop.kid,
            x5t=x5t,
            issued_at=now_ms,
            expires_at=now_ms + 300_000,
        )

        async def work(uow: UnitOfWork) -> None:
            await uow.provider_writes.add_grant(grant)
            await uow.provider_writes.add_access_token(access)

        await self.store.write(work)
        return token

    def wallet(self) -> "Wallet":
        return _WALLET.at(self)

    async def wrote(self, table: str) -> int:
        """How many rows a table has (a test's look behind the curtain)."""
        from sqlalchemy import func, select

        from corpid.storage.constructs import table as table_named
        from corpid.storage.statement import Statement

        row = await self.database.one(
            Statement(select(func.count()).select_from(table_named(table)))
        )
        assert row is not None
        return int(row[0])

    def credential_keys(self) -> JwkSet:
        return self.keys.public(("credentials",))

    def status_keys(self) -> JwkSet:
        return self.keys.public(("status",))


async def prepared(url: str) -> None:
    """A migrated database with what `prepare` puts there, as a template of the tests."""
    await migrations.migrate(url)
    database = await open_database(url)
    try:
        await World(database).prepare()
    finally:
        await database.close()


class Wallet:
    """An honest wallet with one DPoP key and one holder key."""

    def __init__(self, dpop: LocalSigner, holder: LocalSigner, world: World | None = None) -> None:
        self.dpop = dpop
        self.holder = holder
        self.world = world

    def at(self, world: World) -> "Wallet":
        return Wallet(self.dpop, self.holder, world)

    @property
    def _world(self) -> World:
        assert self.world is not None
        return self.world

    def nonce(self) -> str:
        return self._world.issuer.credential_nonces.issue(self._world.now, secrets.token_bytes)

    async def proof(
        self,
        *,
        header: Mapping[str, Any] | None = None,
        typ: str = "openid4vci-proof+jwt",
        signer: LocalSigner | None = None,
        without: tuple[str, ...] = (),
        **claims: Any,
    ) -> str:
        signer = signer or self.holder
        body = {
            "aud": self._world.issuer.config.issuer,
            "iat": int(self._world.now),
            "nonce": self.nonce(),
            **claims,
        }
        for name in without:
            del body[name]
        bare = {name: value for name, value in signer.public_jwk.items() if name != "kid"}
        return await jws.sign(
            signer, body, typ=typ, header={"jwk": bare} if header is None else header
        )

    async def dpop_proof(self, token: str, path: str, **claims: Any) -> str:
        bare = {name: self.dpop.public_jwk[name] for name in ("kty", "crv", "x", "y")}
        body = {
            "jti": secrets.token_urlsafe(12),
            "htm": "POST",
            "htu": self._world.issuer.config.url(path),
            "iat": int(self._world.now),
            "ath": base64url.encode(hashlib.sha256(token.encode()).digest()),
            **claims,
        }
        return await jws.sign(self.dpop, body, typ="dpop+jwt", header={"jwk": bare})

    async def headers(self, token: str, path: str, **claims: Any) -> list[tuple[bytes, bytes]]:
        proof = await self.dpop_proof(token, path, **claims)
        return [(b"authorization", b"DPoP " + token.encode()), (b"dpop", proof.encode()), JSON]

    async def ask(
        self,
        token: str,
        body: Mapping[str, Any] | None = None,
        *,
        of: str = "representative",
        headers: list[tuple[bytes, bytes]] | None = None,
        **proof: Any,
    ) -> Answer:
        """A credential request; ``body`` instead of the honest one where given."""
        if body is None:
            body = {
                "credential_configuration_id": of,
                "proofs": {"jwt": [await self.proof(**proof)]},
            }
        if headers is None:
            headers = await self.headers(token, "/credential")
        return await call(
            self._world.credential,
            "POST",
            path="/credential",
            headers=headers,
            body=orjson.dumps(body),
        )

    async def notify(self, token: str, body: Mapping[str, Any]) -> Answer:
        return await call(
            self._world.notification,
            "POST",
            path="/notification",
            headers=await self.headers(token, "/notification"),
            body=orjson.dumps(body),
        )


_WALLET = Wallet(generate("ES256"), generate("ES256"))


def credential_in(answer: Answer) -> str:
    """The one credential of a successful answer."""
    assert answer.status == 200, answer.body
    (one,) = answer.json["credentials"]
    return str(one["credential"])


def payload_of(credential: str) -> dict[str, Any]:
    """What the issuer signed, unverified."""
    signed = credential.partition("~")[0]
    payload: dict[str, Any] = orjson.loads(base64url.decode(signed.split(".")[1]))
    return payload


def entry_of(credential: str) -> tuple[str, int]:
    """The list's id and the place in it that a credential names."""
    entry = payload_of(credential)["status"]["status_list"]
    return str(entry["uri"]).rpartition("/")[2], int(entry["idx"])


def place_of(credential: Credential) -> tuple[str, int]:
    """The same of an issuance record."""
    return credential.entry.list_id, credential.entry.index
