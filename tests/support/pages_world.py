"""The pages on a real store: businesses, people, clients, a movable clock, and a browser."""

import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI

from corpid.domain.languages import Names
from corpid.domain.mandate import (
    HolderKind,
    Limit,
    Mandate,
    MandateState,
    MandateTerms,
    RepresentationType,
    Side,
    SigningRule,
    Substitution,
)
from corpid.domain.organisation import (
    Identifier,
    IdentifierScheme,
    Registration,
    Representation,
    Role,
)
from corpid.domain.person import PasswordMethod, Person, TotpMethod
from corpid.services import totp
from corpid.services.bootstrap import initialise
from corpid.services.ports import UnitOfWork
from corpid.services.records import ClientRecord
from corpid.settings import Settings
from corpid.storage import migrations
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from corpid.web.assembly import PageAssembly, assemble
from corpid.web.rendering import static_files
from corpid.wiring.foundation import Foundation
from corpid.wiring.service import Service, service
from keys.sealing import MasterKey
from oidc.ports import Interactions, Outbound
from oidc.provider.authorize import AuthorizeEndpoint
from oidc.provider.device_authorization import DeviceAuthorizationEndpoint
from oidc.provider.grants.device_code import GRANT_TYPE as DEVICE_CODE
from oidc.provider.token import TokenEndpoint
from tests.support.asgi import Answer, post_form
from tests.support.browser import ISSUER, REDIRECT, Browser

NOW = 1_795_000_000
PASSWORD = "correct horse battery staple"
VERIFIER_CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
TOTP_SECRET = b"12345678901234567890"
MASTER = MasterKey(b"m" * 32)
SCOPE = "openid entity.identity user.name mandate"


class PagesWorld:
    """Everything that the tests of the pages touch."""

    def __init__(self, built: Service, assembly: PageAssembly, clock: list[float]) -> None:
        self.service = built
        self.assembly = assembly
        self.provider = built.provider
        self.store: Any = built.foundation.store
        self._clock = clock
        self._web = FastAPI()
        self._web.include_router(assembly.router(built.provider, built.issuer))
        self._web.mount("/static", static_files())
        self._authorize = AuthorizeEndpoint(built.provider)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        endpoint = self._authorize if scope["path"] == "/authorize" else self._web
        await endpoint(scope, receive, send)

    @property
    def now(self) -> float:
        return self._clock[0]

    def wait(self, seconds: float) -> None:
        self._clock[0] += seconds

    def otp(self, steps: int = 0) -> str:
        return totp.code_at(TOTP_SECRET, totp.step_at(self.now) + steps)

    def browser(self, language: str = "en") -> Browser:
        return Browser(self.app, language)

    def request(self, client_id: str = "shop", **changes: str | None) -> str:
        given: dict[str, str | None] = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": REDIRECT,
            "scope": SCOPE,
            "state": "af0ifjsldkj",
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": VERIFIER_CHALLENGE,
            "code_challenge_method": "S256",
        }
        merged = {name: value for name, value in {**given, **changes}.items() if value is not None}
        return f"/authorize?{urlencode(merged)}"

    async def sign_in(self, username: str = "chan", **changes: str | None) -> Browser:
        """A browser that has signed in with both factors and stands at the next page."""
        browser = await self.browser().get(self.request(**changes))
        await browser.submit(username=username, password=PASSWORD)
        return await browser.submit(otp=self.otp())

    async def device(self, client_id: str = "tv", **form: str) -> dict[str, Any]:
        """What a device is told when it begins."""
        given = {"client_id": client_id, "scope": SCOPE, **form}
        answer = await post_form(DeviceAuthorizationEndpoint(self.provider), given)
        assert answer.status == 200, answer.body
        return answer.json

    async def device_code(self) -> str:
        """The user code of a device that has begun."""
        return str((await self.device())["user_code"])

    async def poll(self, device_code: str, client_id: str = "tv") -> Answer:
        """The device asks for its tokens."""
        form = {"grant_type": DEVICE_CODE, "device_code": device_code, "client_id": client_id}
        return await post_form(TokenEndpoint(self.provider), form)

    async def write(self, work: Any) -> Any:
        """Like the use cases, which raise the counter last of all."""

        async def and_say_so(uow: UnitOfWork) -> Any:
            written = await work(uow)
            await uow.operations.bump("authority")
            return written

        return await self.store.write(and_say_so)

    async def events(self, name: str) -> list[bytes]:
        rows: list[bytes] = await self.store.read.operations.audit_rows(100, name)
        return rows

    async def add_organisation(self, number: str, names: Names, *, status: str = "live") -> None:
        now = int(self.now * 1000)
        identifier = Identifier(IdentifierScheme.HK_BRN, number, now, None, "sample", "2026-01-01")
        registration = Registration(
            organisation_id=f"org-{number}",
            entity_type="private_company",
            type_text="",
            status=status,
            names=names,
            address="1 Sample Street, Hong Kong",
            incorporated_on="2020-01-01",
            place_of_incorporation="HK",
            digest=b"d" * 32,
            source="sample",
            as_of="2026-01-01",
            recorded_at=now,
        )

        async def work(uow: UnitOfWork) -> None:
            await uow.organisations.add(f"org-{number}", identifier, registration)

        await self.write(work)

    async def add_person(self, username: str, names: Names, *, with_code: bool = True) -> None:
        now = int(self.now * 1000)
        password_hash = await self.assembly.passwords.hash(PASSWORD)
        sealed = totp.TotpSecrets(MASTER).seal(f"per-{username}", TOTP_SECRET)

        async def work(uow: UnitOfWork) -> None:
            await uow.people.add(Person(f"per-{username}", names, None, None, now))
            method = PasswordMethod(f"per-{username}", username, password_hash)
            await uow.people.add_password(method, now)
            if with_code:
                await uow.people.add_totp(TotpMethod(f"per-{username}", sealed, 0), now)

        await self.write(work)

    async def add_director(self, username: str, number: str) -> None:
        representation = Representation(
            representation_id=f"rep-{username}-{number}",
            organisation_id=f"org-{number}",
            person_id=f"per-{username}",
            role=Role.DIRECTOR,
            valid_from="2020-01-01",
            valid_to=None,
            source="sample",
            as_of="2026-01-01",
            recorded_at=int(self.now * 1000),
        )

        async def work(uow: UnitOfWork) -> None:
            await uow.authority.add_representation(representation)

        await self.write(work)

    async def end_director(self, username: str, number: str) -> None:
        async def work(uow: UnitOfWork) -> None:
            await uow.authority.end_representation(f"rep-{username}-{number}", int(self.now * 1000))

        await self.write(work)

    async def add_mandate(
        self,
        number: str,
        holder: str,
        kind: HolderKind = HolderKind.PERSON,
        *,
        valid_until: str = "2027-12-31",
        joint: bool = False,
    ) -> None:
        now = int(self.now * 1000)
        terms = MandateTerms(
            powers=("open_account", "sign_contract"),
            services=(),
            limit=Limit("50000.00", "HKD"),
            representation_type=RepresentationType.JOINT if joint else RepresentationType.SOLE,
            signing_rule=SigningRule("directors", 2) if joint else None,
            substitution=Substitution.NOT_ALLOWED,
            valid_from="2026-01-01",
            valid_until=valid_until,
        )
        mandate = Mandate(
            mandate_id=f"man-{number}-{holder}",
            organisation_id=f"org-{number}",
            holder_kind=kind,
            holder_id=holder,
            terms=terms,
            state=MandateState.ACCEPTED,
            grantor_accepted=True,
            holder_accepted=True,
            parent_id=None,
            created_at=now,
            changed_at=now,
        )

        async def work(uow: UnitOfWork) -> None:
            await uow.authority.add_mandate(mandate, Side.GRANTOR, "sample")

        await self.write(work)

    async def add_client(self, client_id: str, **changes: Any) -> None:
        now = int(self.now * 1000)
        metadata = {
            "profile": "oidc",
            "client_name": "Sample Harbour Bank",
            "client_name#zh-Hant": "樣本海港銀行",
            "redirect_uris": [REDIRECT],
            "scope": f"{SCOPE} email offline_access",
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "client_secret_basic",
            "min_acr": "loa2",
            "policy_uri": "https://rp.sample-bank.example/privacy",
            **changes,
        }
        record = ClientRecord(client_id, f"{client_id}.example", metadata, b"s" * 32, now, now)

        async def work(uow: UnitOfWork) -> None:
            await uow.clients.add(record)

        await self.write(work)


async def _template(path: Path) -> None:
    url = f"sqlite:///{path}"
    await migrations.migrate(url)
    database = await open_database(url)
    store = SqlStore(database, lambda: NOW, secrets.token_bytes)
    await initialise(store, MASTER, ISSUER, lambda: NOW, secrets.token_bytes)
    await database.close()


@asynccontextmanager
async def pages_world(
    directory: Path, template: Path, outbound: Outbound | None = None, **more: Any
) -> AsyncIterator[PagesWorld]:
    """A fresh world; ``template`` is made at the first use and copied ever after.

    ``more`` are settings.
    """
    if not template.exists():  # noqa: ASYNC240 - a local file of the tests
        await _template(template)
    shutil.copyfile(template, directory / "corpid.db")
    (directory / "corpid.db").chmod(0o600)
    settings = Settings(
        issuer=ISSUER,
        database_url=f"sqlite:///{directory / 'corpid.db'}",
        master_key=MASTER.text(),
        argon2_memory_kib=64,
        **more,
    )
    clock: list[float] = [NOW]
    made: list[PageAssembly] = []

    def interactions(base: Foundation) -> Interactions:
        made.append(assemble(base))
        return made[0].interactions

    async with service(settings, interactions, clock=lambda: clock[0], outbound=outbound) as built:
        yield PagesWorld(built, made[0], clock)
        made[0].passwords.close()


async def populate(world: PagesWorld) -> None:
    """Chan directs one business, Lee two and holds a mandate, Ho has a password only."""
    await world.add_organisation(
        "12345678", Names(en="Sample Kite Trading Limited", zh_hant="樣本風箏貿易有限公司")
    )
    await world.add_organisation("23456789", Names(en="Sample Lantern Works Limited"))
    await world.add_organisation("34567890", Names(zh_hant="樣本茶莊"))
    await world.add_organisation("45678901", Names(en="Sample Secretaries Limited"))
    await world.add_person("chan", Names(en="Chan Sample", zh_hant="陳樣本"))
    await world.add_person("lee", Names(en="Lee Sample", zh_hant="李樣本"))
    await world.add_person("ho", Names(en="Ho Sample"), with_code=False)
    await world.add_person("nobody", Names(en="Nobody Sample"))
    await world.add_director("chan", "12345678")
    await world.add_director("lee", "12345678")
    await world.add_director("lee", "23456789")
    await world.add_mandate("34567890", "per-lee")
    await world.add_director("ho", "12345678")
    await world.add_client("shop")
    await world.add_client(
        "tv",
        client_name="Sample Meeting Room Screen",
        redirect_uris=[],
        grant_types=[DEVICE_CODE],
        token_endpoint_auth_method="none",
    )
    await world.add_client("kiosk", min_acr="loa1", client_name="Sample Kiosk")
