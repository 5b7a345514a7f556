"""Openly fictional people and clients, made with the service's own use cases.

`make run` writes what this returns to `build/sample.json`, for people and programs that want to
sign in and try things.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from corpid.domain.dates import hong_kong_date
from corpid.domain.languages import Names
from corpid.domain.mandate import (
    HolderKind,
    Limit,
    MandateTerms,
    RepresentationType,
    Side,
    SigningRule,
    Substitution,
)
from corpid.domain.organisation import Role
from corpid.domain.person import Person
from corpid.registers.sample import load_sample
from corpid.services.client_metadata import Registration
from corpid.services.clients import Clients
from corpid.services.mandates import Mandates
from corpid.services.organisations import Organisations, find_organisation
from corpid.services.passwords import Passwords
from corpid.services.people import NewPerson, People
from corpid.services.representations import Representations
from corpid.services.totp import TotpSecrets, new_secret, secret_text
from corpid.wiring.foundation import Foundation
from keys import base64url
from keys.signer import generate

ACTOR = "operator:sample"
KITE, LANTERN, HARBOUR = "99000001", "99000002", "99000003"
REDIRECTS = ("http://127.0.0.1:8090/callback", "https://localhost:8443/callback")


async def seed(base: Foundation, redirect_uris: tuple[str, ...] = REDIRECTS) -> dict[str, Any]:
    """Fill an initialised, empty service; what one needs to know to use the samples."""
    organisations = Organisations(base.store, base.clock, base.random)
    for entry in load_sample():
        await organisations.add(entry, ACTOR)
    people = await _people(base)
    await _authorities(base, people)
    return {
        "issuer": base.settings.issuer,
        "people": [shown for shown, _ in people.values()],
        "clients": await _clients(base, redirect_uris),
    }


async def _people(base: Foundation) -> dict[str, tuple[dict[str, Any], Person]]:
    passwords = Passwords(base.settings.argon2_memory_kib)
    use_case = People(
        base.store,
        base.clock,
        base.random,
        hash_password=passwords.hash,
        seal_totp=TotpSecrets(base.master).seal,
    )
    wanted = {
        "sample.director": (Names("Sample Director", "樣本董事", "样本董事"), True, "loa2"),
        "sample.accountant": (Names("Sample Accountant", "樣本會計師", "样本会计师"), True, "loa2"),
        "sample.clerk": (Names("Sample Clerk", "樣本文員", "样本文员"), False, "loa1"),
    }
    made = {}
    try:
        for username, (names, with_totp, level) in wanted.items():
            password = base64url.encode(base.random(12))
            secret = new_secret(base.random) if with_totp else None
            new = NewPerson(names, f"{username}@example.com", None, username, password, secret)
            person = await use_case.add(new, ACTOR)
            shown = {
                "username": username,
                "password": password,
                "totp_secret": secret_text(secret) if secret else None,
                "assurance": level,
                "name": names.best("en"),
            }
            made[username] = (shown, person)
    finally:
        passwords.close()
    return made


async def _authorities(
    base: Foundation, people: Mapping[str, tuple[dict[str, Any], Person]]
) -> None:
    representations = Representations(base.store, base.clock, base.random)
    for username, number, role in (
        ("sample.director", KITE, Role.DIRECTOR),
        ("sample.accountant", HARBOUR, Role.DIRECTOR),
    ):
        await representations.add(
            organisation=number, person=username, role=role, actor=ACTOR, source="sample register"
        )
        people[username][0].setdefault("acts_for", []).append(number)
    today = hong_kong_date(int(base.clock() * 1000))
    sole = (RepresentationType.SOLE, None)
    joint = (RepresentationType.JOINT, SigningRule("directors", 2))
    await _mandate(base, KITE, people["sample.clerk"][1], today, ("file_returns",), *sole)
    await _mandate(base, KITE, people["sample.accountant"][1], today, ("open_account",), *sole)
    await _mandate(base, LANTERN, people["sample.accountant"][1], today, ("file_returns",), *sole)
    await _mandate(base, LANTERN, people["sample.director"][1], today, ("borrow",), *joint)
    people["sample.clerk"][0]["acts_for"] = [KITE]
    people["sample.accountant"][0]["acts_for"] += [KITE, LANTERN]


async def _mandate(
    base: Foundation,
    number: str,
    person: Person,
    today: date,
    powers: tuple[str, ...],
    kind: RepresentationType,
    rule: SigningRule | None,
) -> None:
    mandates = Mandates(base.store, base.clock, base.random)
    organisation = await find_organisation(base.store.read, number)
    terms = MandateTerms(
        powers=powers,
        services=(),
        limit=Limit("50000.00", "HKD"),
        representation_type=kind,
        signing_rule=rule,
        substitution=Substitution.NOT_ALLOWED,
        valid_from=today.isoformat(),
        valid_until=(today + timedelta(days=365)).isoformat(),
    )
    mandate = await mandates.grant(
        organisation_id=organisation.organisation_id,
        holder_kind=HolderKind.PERSON,
        holder_id=person.person_id,
        terms=terms,
        actor=ACTOR,
    )
    await mandates.accept(mandate.mandate_id, Side.HOLDER, ACTOR)


async def _clients(base: Foundation, redirect_uris: tuple[str, ...]) -> list[dict[str, Any]]:
    use_case = Clients(base.store, base.clock, base.random)
    everything = (
        "openid",
        "entity.identity",
        "entity.basic_profile",
        "user.identity",
        "user.name",
        "mandate",
        "profile",
        "email",
        "offline_access",
    )
    bank_key, portal_key = generate("ES256"), generate("ES256")
    wanted = {
        "sample-bank": (
            Registration(
                names=Names("Sample Bank", "樣本銀行", "样本银行"),
                redirect_uris=redirect_uris,
                scopes=everything,
                jwks={"keys": [dict(bank_key.public_jwk)]},
                sector="sample-bank",
            ),
            bank_key,
        ),
        "sample-portal": (
            Registration(
                names=Names("Sample Government Portal", "樣本政府入門網站", "样本政府门户网站"),
                redirect_uris=redirect_uris,
                scopes=everything,
                jwks={"keys": [dict(portal_key.public_jwk)]},
                sector="sample-portal",
                grant_types=("authorization_code", "refresh_token", "client_credentials"),
                resources=("https://api.sample-portal.example",),
                serves=("https://api.sample-portal.example",),
            ),
            portal_key,
        ),
        "sample-shop": (
            Registration(
                names=Names("Sample Online Shop", "樣本網上商店", "样本网上商店"),
                profile="oidc",
                redirect_uris=redirect_uris,
                scopes=everything,
                auth_method="client_secret_basic",
                sector="sample-shop",
                min_acr="loa1",
            ),
            None,
        ),
    }
    shown = []
    for client_id, (registration, key) in wanted.items():
        made = await use_case.add(registration, ACTOR, client_id=client_id)
        shown.append(
            {
                "client_id": client_id,
                "profile": registration.profile,
                "redirect_uris": list(redirect_uris),
                "min_acr": registration.min_acr,
                "jwk": key.private_jwk() if key else None,
                "client_secret": made.secret,
            }
        )
    return shown
