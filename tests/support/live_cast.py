"""Who appears in a test of the running service: businesses, people, relying parties, mandates.

Everything comes in through the services, over a connection of its own, as the admin CLI's does.
Names are openly fictional, numbers are taken one after another, so that no test meets another's.
"""

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from corpid.domain.business_number import parse_business_number
from corpid.domain.dates import hong_kong_date
from corpid.domain.languages import Names
from corpid.domain.mandate import (
    HolderKind,
    Limit,
    Mandate,
    MandateTerms,
    RepresentationType,
    Side,
    SigningRule,
    Substitution,
)
from corpid.domain.organisation import Organisation, Representation, Role
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry
from corpid.services.client_metadata import Registration
from corpid.services.client_tls import Tls
from corpid.services.clients import Clients
from corpid.services.mandates import Mandates
from corpid.services.offers import GRANT_TYPE
from corpid.services.organisations import Organisations
from corpid.services.passwords import Passwords
from corpid.services.people import NewPerson, People
from corpid.services.ports import Store
from corpid.services.representations import Representations
from corpid.services.totp import TotpSecrets, new_secret, secret_text
from corpid.services.wallet_providers import WalletProviders
from corpid.wiring.foundation import Foundation
from keys.clock import Clock, Random
from tests.support.attesting import WalletProvider
from tests.support.fapi_client import FapiClient
from tests.support.service_process import RESOURCE

ACTOR = "operator:tests"
CALLBACK = "https://bank.example/callback"
SCOPES = (
    "openid",
    "entity.identity",
    "entity.basic_profile",
    "user.name",
    "mandate",
    "email",
    "offline_access",
)
TYPES = ("company-identity", "representative")
TRANSACTION_CODE = "135790"
_numbers = itertools.count(70_000_001 + secrets.randbelow(10_000) * 1000)


@dataclass(frozen=True, slots=True)
class Human:
    """A person with the means to sign in. ``secret`` (of one-time codes) is "" without them."""

    person_id: str
    username: str
    password: str
    secret: str


@dataclass(slots=True)
class PlainClient:
    """A relying party of the profile ``oidc`` with a secret."""

    client_id: str
    secret: str
    redirect_uri: str = CALLBACK


@dataclass(slots=True)
class Cast:
    """Makes what a test needs."""

    base: Foundation
    passwords: Passwords = field(default_factory=lambda: Passwords(64))

    def close(self) -> None:
        """Let go of the threads that hash passwords."""
        self.passwords.close()

    def day(self, ahead: int) -> str:
        """The Hong Kong date so many days from now."""
        now_ms = int(self.base.clock() * 1000)
        return (hong_kong_date(now_ms) + timedelta(days=ahead)).isoformat()

    async def organisation(self, status: EntityStatus = EntityStatus.LIVE) -> Organisation:
        """A business."""
        number = f"{next(_numbers):08d}"
        entry = RegisterEntry(
            number=parse_business_number(number),
            names=Names(f"SAMPLE HARBOUR {number} LIMITED", "樣本海港有限公司", "样本海港有限公司"),
            entity_type=EntityType.LOCAL_PRIVATE_COMPANY,
            status=status,
            source="sample register",
            as_of="2026-01-01",
            address="1 Sample Street, Hong Kong",
            incorporated_on="2020-02-29",
        )
        return await Organisations(*self._parts).add(entry, ACTOR)

    async def human(self, *, totp: bool = True, phone: str | None = None) -> Human:
        """A person; without one-time codes only loa1 can be reached."""
        username = f"sample.{next(_numbers)}"
        secret = new_secret(self.base.random) if totp else None
        people = People(
            *self._parts,
            hash_password=self.passwords.hash,
            seal_totp=TotpSecrets(self.base.master).seal,
        )
        names = Names("Sample Person", "樣本人", "样本人")
        password = secrets.token_urlsafe(12)
        email = f"{username}@example.com"
        new = NewPerson(names, email, phone, username, password, secret)
        person = await people.add(new, ACTOR)
        return Human(person.person_id, username, password, secret_text(secret) if secret else "")

    async def director(
        self, organisation: Organisation, human: Human, role: Role = Role.DIRECTOR
    ) -> Representation:
        """The register says that the person is a director."""
        return await Representations(*self._parts).add(
            organisation=organisation.number,
            person=human.username,
            role=role,
            actor=ACTOR,
            valid_from="2021-01-01",
        )

    async def mandate(
        self,
        organisation: Organisation,
        human: Human,
        *powers: str,
        joint: bool = False,
        accepted: bool = True,
    ) -> Mandate:
        """A mandate for the person; JOINT ones need two of the directors."""
        kind = RepresentationType.JOINT if joint else RepresentationType.SOLE
        terms = MandateTerms(
            powers=powers or ("open_account",),
            services=(),
            limit=Limit("50000.00", "HKD"),
            representation_type=kind,
            signing_rule=SigningRule("directors", 2) if joint else None,
            substitution=Substitution.NOT_ALLOWED,
            valid_from="2026-01-01",
            valid_until="2099-12-31",
        )
        mandates = Mandates(*self._parts)
        made = await mandates.grant(
            organisation_id=organisation.organisation_id,
            holder_kind=HolderKind.PERSON,
            holder_id=human.person_id,
            terms=terms,
            actor=ACTOR,
        )
        return await mandates.accept(made.mandate_id, Side.HOLDER, ACTOR) if accepted else made

    async def agent_mandate(
        self,
        organisation: Organisation,
        firm: Organisation,
        *,
        valid_until: str = "2099-12-31",
        joint: bool = False,
        substitution: Substitution = Substitution.NOT_ALLOWED,
        parent: Mandate | None = None,
    ) -> Mandate:
        """A mandate that the business gave to an agent firm, accepted by it."""
        terms = MandateTerms(
            powers=("file_returns",),
            services=(),
            limit=None,
            representation_type=RepresentationType.JOINT if joint else RepresentationType.SOLE,
            signing_rule=SigningRule("directors", 2) if joint else None,
            substitution=substitution,
            valid_from="2026-01-01",
            valid_until=valid_until,
        )
        mandates = Mandates(*self._parts)
        made = await mandates.grant(
            organisation_id=organisation.organisation_id,
            holder_kind=HolderKind.ORGANISATION,
            holder_id=firm.organisation_id,
            terms=terms,
            actor=ACTOR,
            parent_id=None if parent is None else parent.mandate_id,
        )
        return await mandates.accept(made.mandate_id, Side.HOLDER, ACTOR)

    async def acting(self) -> tuple[Organisation, Human]:
        """A business and its director."""
        organisation, human = await self.organisation(), await self.human()
        await self.director(organisation, human)
        return organisation, human

    async def client(
        self,
        *,
        scopes: Sequence[str] = SCOPES,
        redirect_uri: str = CALLBACK,
        sector: str | None = None,
        subject: str = "organisation",
        min_acr: str = "loa2",
        with_resource: bool = False,
        detail_types: Sequence[str] = (),
        profile: str = "fapi2",
        **more: Any,
    ) -> FapiClient:
        """A relying party of the profile ``fapi2`` or another, in a sector of its own.

        ``more`` are other members of its ``Registration``.
        """
        client_id = f"sample-fapi-{next(_numbers)}"
        issuer = self.base.settings.issuer
        path = issuer.partition("//")[2].partition("/")[2]
        made = FapiClient(
            issuer, client_id, redirect_uri, " ".join(scopes), f"/{path}" if path else ""
        )
        made.signs_requests = profile == "fapi2-message-signing"
        wanted = Registration(
            names=Names("Sample Bank", "樣本銀行", "样本银行"),
            profile=profile,
            redirect_uris=(redirect_uri,),
            scopes=tuple(scopes),
            jwks=made.key.jwks,
            sector=sector or f"{client_id}.example",
            subject=subject,
            min_acr=min_acr,
            resources=(RESOURCE,) if with_resource else (),
            serves=(RESOURCE,) if with_resource else (),
            detail_types=tuple(detail_types),
        )
        wanted = replace(wanted, **more)
        await Clients(*self._parts).add(wanted, ACTOR, client_id=client_id)
        return made

    async def tls_client(
        self, method: str, *, scopes: Sequence[str] = SCOPES, **changes: object
    ) -> str:
        """The client id of a ``fapi2`` relying party whose tokens are bound to its certificate."""
        client_id = f"sample-tls-{next(_numbers)}"
        expectations = {name: str(value) for name, value in changes.items() if name != "jwks"}
        jwks = changes.get("jwks")
        assert jwks is None or isinstance(jwks, dict)
        wanted = Registration(
            names=Names("Sample Bank", "樣本銀行", "样本银行"),
            redirect_uris=(CALLBACK,),
            scopes=tuple(scopes),
            auth_method=method,
            jwks=jwks,
            sector=f"{client_id}.example",
            resources=(RESOURCE,),
            serves=(RESOURCE,),
            tls=Tls(expectations, bound_tokens=True, aliases=True),
        )
        await Clients(*self._parts).add(wanted, ACTOR, client_id=client_id)
        return client_id

    async def plain_client(
        self,
        *,
        redirect_uri: str = CALLBACK,
        min_acr: str = "loa2",
        method: str = "client_secret_basic",
        scopes: Sequence[str] = SCOPES,
        id_token_alg: str = "ES256",
        **more: Any,
    ) -> PlainClient:
        """A relying party of the profile ``oidc``."""
        client_id = f"sample-oidc-{next(_numbers)}"
        wanted = Registration(
            names=Names("Sample Shop", "樣本商店", "样本商店"),
            profile="oidc",
            redirect_uris=(redirect_uri,),
            scopes=tuple(scopes),
            auth_method=method,
            sector=f"{client_id}.example",
            min_acr=min_acr,
            id_token_alg=id_token_alg,
        )
        wanted = replace(wanted, **more)
        added = await Clients(*self._parts).add(wanted, ACTOR, client_id=client_id)
        assert added.secret is not None
        return PlainClient(client_id, added.secret, redirect_uri)

    async def public_client(self, *, redirect_uri: str = CALLBACK) -> str:
        """The client id of an app that can keep no secret."""
        client_id = f"sample-app-{next(_numbers)}"
        wanted = Registration(
            names=Names("Sample App", "樣本程式", "样本程序"),
            profile="oidc",
            redirect_uris=(redirect_uri,),
            scopes=SCOPES,
            auth_method="none",
            sector=f"{client_id}.example",
        )
        added = await Clients(*self._parts).add(wanted, ACTOR, client_id=client_id)
        assert added.secret is None
        return client_id

    async def attested_wallet(self, provider: WalletProvider) -> str:
        """A wallet that this provider attests, trusted under the wallet's own id."""
        client_id = await self.trust(provider)
        wanted = Registration(
            names=Names("Sample Wallet", "樣本錢包", "样本钱包"),
            profile="oidc",
            grant_types=(GRANT_TYPE,),
            auth_method="attest_jwt_client_auth",
            wallet_provider=client_id,
            dpop=True,
        )
        await Clients(*self._parts).add(wanted, ACTOR, client_id=client_id)
        return client_id

    async def trust(self, provider: WalletProvider) -> str:
        """Trust a wallet provider from now on; its id."""
        name = f"sample-wallet-{next(_numbers)}"
        trust = WalletProviders(self.base.store, self.base.clock)
        await trust.add(name, ACTOR, anchors_pem=provider.anchors_pem.encode())
        return name

    async def distrust(self, client_id: str) -> None:
        """Nobody trusts its provider any more."""
        await WalletProviders(self.base.store, self.base.clock).remove(client_id, ACTOR)

    async def offer(
        self,
        organisation: Organisation,
        human: Human,
        types: Sequence[str] = TYPES,
    ) -> str:
        """The pre-authorized code of an offer; TRANSACTION_CODE is its transaction code."""
        made = await self.base.offers.create(
            organisation.organisation_id,
            human.person_id,
            types,
            actor=ACTOR,
            transaction_code=TRANSACTION_CODE,
        )
        return str(made.document["grants"][GRANT_TYPE]["pre-authorized_code"])

    @property
    def _parts(self) -> tuple[Store, Clock, Random]:
        return self.base.store, self.base.clock, self.base.random


def new_cast(base: Foundation) -> Cast:
    """A cast for one test."""
    return Cast(base)
