"""The service under test: its database, one business with one representative, clients, sessions."""

import hashlib
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.jose import Key, b64
from bench.rows import Target, Wallet
from corpid.domain.business_number import parse_business_number
from corpid.domain.identifiers import new_id
from corpid.domain.languages import Names
from corpid.domain.mandate import (
    HolderKind,
    Limit,
    Mandate,
    MandateTerms,
    RepresentationType,
    Side,
    Substitution,
)
from corpid.domain.organisation import Organisation
from corpid.domain.person import Assurance, Person
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry
from corpid.services import bootstrap
from corpid.services.mandates import Mandates
from corpid.services.organisations import Organisations
from corpid.services.ports import UnitOfWork
from corpid.services.records import ClientRecord, Consent, Session
from corpid.services.sessions import SESSION, CookieRules
from corpid.settings import Settings
from corpid.storage import migrations
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from corpid.wiring.foundation import Foundation, foundation
from keys.clock import system_clock
from keys.sealing import MasterKey
from oidc import dated
from oidc.records import AccessToken, Grant
from oidc.secrets import (
    ACCESS_TOKEN,
    TokenHasher,
    client_secret_hash,
    new_grant_id,
)

RESOURCE = "https://api.partner.example/orders"
REDIRECT_URI = "https://portal.example/callback"
CREDENTIAL = "company-identity"
SESSIONS = 16
WALLETS = 256
ENDPOINTS = {
    "token": "/token",
    "par": "/par",
    "authorize": "/authorize",
    "userinfo": "/userinfo",
    "introspection": "/introspect",
    "jwks": "/jwks",
    "nonce": "/nonce",
    "credential": "/credential",
}
_LOGIN_SCOPE = "openid entity.identity user.name mandate"
_CREDENTIAL_SCOPE = "credential.company_identity"
_SCOPE = "orders.read"
_HOUR = 3600 * 1000
_SPARE_GRANTS_PER_WRITE = 200


@dataclass(frozen=True, slots=True)
class World:
    """What was seeded."""

    base: Foundation
    organisation: Organisation
    person: Person
    mandate: Mandate
    wallets: list[Wallet]
    key: Key = field(default_factory=Key)
    dpop_key: Key = field(default_factory=Key)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    async def access_tokens(
        self, count: int, client_id: str, scope: str, *, bound: bool
    ) -> list[tuple[str, Wallet]]:
        """Opaque access tokens for our own endpoints, each under a grant of its own."""
        made: list[tuple[str, Wallet]] = []
        rows: list[tuple[Grant, AccessToken]] = []
        for number in range(count):
            wallet = self.wallets[number % len(self.wallets)]
            ends = dated.instant(int(time.time() * 1000) + _HOUR)
            value = dated.new_token(ACCESS_TOKEN, ends, secrets.token_bytes)
            made.append((value, wallet))
            jkt = wallet.dpop.thumbprint if bound else None
            rows.append(self._grant_and_token(value, client_id, tuple(scope.split()), jkt))
        for at in range(0, count, _SPARE_GRANTS_PER_WRITE):
            await self._keep(rows[at : at + _SPARE_GRANTS_PER_WRITE])
        return made

    async def _keep(self, rows: list[tuple[Grant, AccessToken]]) -> None:
        async def work(uow: UnitOfWork) -> None:
            for grant, token in rows:
                await uow.provider_writes.add_grant(grant)
                await uow.provider_writes.add_access_token(token)

        await self.base.store.write(work)

    def _grant_and_token(
        self, value: str, client_id: str, scope: tuple[str, ...], jkt: str | None
    ) -> tuple[Grant, AccessToken]:
        now_ms = int(time.time() * 1000)
        grant = Grant(
            grant_id=new_grant_id(now_ms, secrets.token_bytes),
            client_id=client_id,
            grant_type="authorization_code",
            subject=self.organisation.organisation_id,
            actor=self.person.person_id,
            authority=self.mandate.mandate_id,
            session_id=None,
            scope=scope,
            resource=(),
            claims={},
            authorization_details=(),
            nonce=None,
            acr=f"{self.base.settings.acr_url}/loa2",
            amr=("pwd", "otp"),
            auth_time=now_ms // 1000,
            created_at=now_ms,
            expires_at=now_ms + _HOUR,
        )
        token_hash = self.base.hasher.key(value)
        token = AccessToken(
            token_hash, grant.grant_id, client_id, scope, "", jkt, now_ms, now_ms + _HOUR
        )
        return grant, token

    async def credential_tokens(self, count: int) -> list[tuple[str, Wallet]]:
        """Access tokens that each cover one credential."""
        return await self.access_tokens(count, "bench-web", _CREDENTIAL_SCOPE, bound=True)

    async def userinfo_tokens(self, count: int) -> list[tuple[str, Wallet]]:
        """Access tokens for userinfo."""
        return await self.access_tokens(count, "bench-web", _LOGIN_SCOPE, bound=True)


def new_directory(directory: Path) -> Path:
    """An empty directory for one run's database."""
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    return directory


def settings_for(directory: Path, port: int) -> Settings:
    """Production settings over a database in that directory."""
    return Settings(
        issuer=f"http://127.0.0.1:{port}",
        database_url=f"sqlite:///{directory / 'corpid.db'}",
        master_key_file=directory / "master.key",
        host="127.0.0.1",
        port=port,
        resource_sectors={RESOURCE: "api.partner.example"},
    )


def environment_of(settings: Settings) -> dict[str, str]:
    """The same settings as the service reads them."""
    return {
        "CORPID_ISSUER": settings.issuer,
        "CORPID_DATABASE_URL": settings.database_url,
        "CORPID_MASTER_KEY_FILE": str(settings.master_key_file),
        "CORPID_HOST": settings.host,
        "CORPID_PORT": str(settings.port),
        "CORPID_RESOURCE_SECTORS": f'{{"{RESOURCE}":"api.partner.example"}}',
    }


async def initialise(settings: Settings) -> None:
    """Make the database and the master key."""
    master = MasterKey.generate(secrets.token_bytes)
    assert settings.master_key_file is not None
    settings.master_key_file.write_text(master.text())
    settings.master_key_file.chmod(0o600)
    await migrations.migrate(settings.database_url)
    database = await open_database(settings.database_url)
    try:
        store = SqlStore(database, system_clock, secrets.token_bytes)
        await bootstrap.initialise(
            store, master, settings.issuer, system_clock, secrets.token_bytes
        )
    finally:
        await database.close()


@asynccontextmanager
async def world(settings: Settings) -> AsyncIterator[World]:
    """A seeded database, which stays open for further tokens."""
    await initialise(settings)
    async with foundation(settings) as base:
        organisation = await _organisation(base)
        person = await _person(base)
        mandate = await _mandate(base, organisation, person)
        made = World(base, organisation, person, mandate, [Wallet() for _ in range(WALLETS)])
        await _clients(made)
        yield made


async def _organisation(base: Foundation) -> Organisation:
    entry = RegisterEntry(
        number=parse_business_number("70000015"),
        names=Names("Sample Kite Trading Limited", "樣本風箏貿易有限公司", "样本风筝贸易有限公司"),
        entity_type=EntityType.LOCAL_PRIVATE_COMPANY,
        status=EntityStatus.LIVE,
        source="sample",
        as_of="2026-01-02",
        address="Flat 1, 2/F, Sample House, 3 Sample Street, Hong Kong",
        incorporated_on="2015-06-01",
        place_of_incorporation="Hong Kong",
        type_text="Private company limited by shares",
    )
    return await Organisations(base.store, base.clock, base.random).add(entry, "bench")


async def _person(base: Foundation) -> Person:
    person = Person(
        person_id=new_id(base.random),
        names=Names("Sample Person One", "樣本人甲", "样本人甲"),
        email="one@sample.example",
        phone="+85200000000",
        created_at=int(base.clock() * 1000),
    )

    async def work(uow: UnitOfWork) -> None:
        await uow.people.add(person)

    await base.store.write(work)
    return person


async def _mandate(base: Foundation, organisation: Organisation, person: Person) -> Mandate:
    mandates = Mandates(base.store, base.clock, base.random)
    terms = MandateTerms(
        powers=("place_orders", "open_account"),
        services=("ordering",),
        limit=Limit("50000.00", "HKD"),
        representation_type=RepresentationType.SOLE,
        signing_rule=None,
        substitution=Substitution.NOT_ALLOWED,
        valid_from="2026-01-01",
        valid_until=None,
    )
    given = await mandates.grant(
        organisation_id=organisation.organisation_id,
        holder_kind=HolderKind.PERSON,
        holder_id=person.person_id,
        terms=terms,
        actor="bench",
    )
    return await mandates.accept(given.mandate_id, Side.HOLDER, "bench")


async def _clients(made: World) -> None:
    now_ms = int(time.time() * 1000)
    common: dict[str, Any] = {"client_name": "Sample Partner", "jwks": made.key.jwks}
    machine = {
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": _SCOPE,
        "resources": [RESOURCE],
    }
    web = {
        "profile": "fapi2",
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "redirect_uris": [REDIRECT_URI],
        "scope": f"{_LOGIN_SCOPE} {_CREDENTIAL_SCOPE}",
    }
    basic = {
        "profile": "oidc",
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": [REDIRECT_URI],
        "scope": _LOGIN_SCOPE,
    }
    policies: list[tuple[str, dict[str, Any], bytes | None]] = [
        ("bench-machine", {**common, **machine, "profile": "oidc"}, None),
        ("bench-bound", {**common, **machine, "profile": "fapi2"}, None),
        ("bench-web", {**common, **web}, None),
        ("bench-basic", {"client_name": "Sample", **basic}, client_secret_hash(made.secret)),
    ]

    async def work(uow: UnitOfWork) -> None:
        for client_id, metadata, secret_hash in policies:
            await uow.clients.add(
                ClientRecord(client_id, "portal.example", metadata, secret_hash, now_ms, now_ms)
            )
        await uow.sign_ins.give_consent(
            Consent(
                made.person.person_id,
                made.organisation.organisation_id,
                "bench-web",
                frozenset(_LOGIN_SCOPE.split()),
                "",
                now_ms,
            )
        )

    await made.base.store.write(work)


async def target_of(made: World, pid: int) -> Target:
    """The seeded service as a target of load."""
    opaque = await made.access_tokens(WALLETS, "bench-basic", _LOGIN_SCOPE, bound=False)
    return Target(
        name="corpid",
        issuer=made.base.settings.issuer,
        pid=pid,
        audience=made.base.settings.issuer,
        endpoints=ENDPOINTS,
        resource=RESOURCE,
        scope=_SCOPE,
        login_scope=_LOGIN_SCOPE,
        redirect_uri=REDIRECT_URI,
        machine_id="bench-machine",
        bound_id="bench-bound",
        web_id="bench-web",
        basic=("bench-basic", made.secret),
        key=made.key,
        dpop_key=made.dpop_key,
        opaque_tokens=[value for value, _ in opaque],
        cookies=[await _sign_in(made, number) for number in range(SESSIONS)],
    )


async def _sign_in(made: World, number: int) -> str:
    """A browser that is signed in at loa2; its Cookie header."""
    value = b64(hashlib.sha256(f"{made.secret}{number}".encode()).digest())
    now_ms = int(time.time() * 1000)
    session = Session(
        session_hash=TokenHasher(made.base.secrets["cookies"]).hash(value),
        session_id=new_id(secrets.token_bytes),
        person_id=made.person.person_id,
        assurance=Assurance.LOA2,
        methods=("pwd", "otp"),
        signed_in_at=now_ms,
        expires_at=now_ms + 8 * _HOUR,
    )

    async def work(uow: UnitOfWork) -> None:
        await uow.sign_ins.add_session(session)

    await made.base.store.write(work)
    return f"{CookieRules(made.base.settings.is_https).name(SESSION)}={value}"
