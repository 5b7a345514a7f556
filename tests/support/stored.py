"""Small valid records for the tests of storage; every field can be given another value."""

import hashlib
from dataclasses import replace
from typing import Any

from corpid.domain.credential import Credential, CredentialState, StatusEntry
from corpid.domain.languages import Names
from corpid.domain.mandate import (
    HolderKind,
    Mandate,
    MandateState,
    MandateTerms,
    RepresentationType,
    Side,
    Substitution,
)
from corpid.domain.organisation import (
    Identifier,
    IdentifierScheme,
    Registration,
    Representation,
    Role,
)
from corpid.domain.person import Assurance, Person
from corpid.services.deferred import DeferredIssuance
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import (
    ClientRecord,
    Consent,
    CredentialRow,
    Interaction,
    Offer,
    Session,
    StatusListRow,
)
from oidc import dated
from oidc.issuer.ports import DeferralState
from oidc.records import (
    AccessToken,
    AuthorizationCode,
    Grant,
    PolledRequest,
    PushedRequest,
    RefreshToken,
)

NOW = 1_790_000_000_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def digest(text: str) -> bytes:
    """What stands for a token of that name, by the order of time as in ``TokenHasher.key``."""
    return dated_key(NOW, hashlib.sha256(text.encode()).digest())


def dated_key(ends_at: int, seed: bytes) -> bytes:
    return dated.instant(ends_at) + seed[: -dated.INSTANT_BYTES]


def identifier(value: str = "12345678", **changes: Any) -> Identifier:
    made = Identifier(IdentifierScheme.HK_BRN, value, NOW, None, "sample", "2026-01-01")
    return replace(made, **changes)


def registration(organisation_id: str = "org-1", **changes: Any) -> Registration:
    made = Registration(
        organisation_id=organisation_id,
        entity_type="local_private_company",
        type_text="Private company limited by shares",
        status="live",
        names=Names(en="SAMPLE KITE TRADING LIMITED", zh_hant="樣本風箏貿易有限公司"),
        address="1 Sample Street, Hong Kong",
        incorporated_on="2020-02-29",
        place_of_incorporation="Hong Kong",
        digest=digest(organisation_id),
        source="sample",
        as_of="2026-01-01",
        recorded_at=NOW,
    )
    return replace(made, **changes)


def person(person_id: str = "per-1", **changes: Any) -> Person:
    made = Person(person_id, Names(en="Sample Person"), "sample@person.example", None, NOW)
    return replace(made, **changes)


def representation(representation_id: str = "rep-1", **changes: Any) -> Representation:
    made = Representation(
        representation_id=representation_id,
        organisation_id="org-1",
        person_id="per-1",
        role=Role.DIRECTOR,
        valid_from="2020-02-29",
        valid_to=None,
        source="sample",
        as_of="2026-01-01",
        recorded_at=NOW,
    )
    return replace(made, **changes)


def terms(**changes: Any) -> MandateTerms:
    made = MandateTerms(
        powers=("open_account", "sign_contract"),
        services=(),
        limit=None,
        representation_type=RepresentationType.SOLE,
        signing_rule=None,
        substitution=Substitution.NOT_ALLOWED,
        valid_from="2026-01-01",
        valid_until=None,
    )
    return replace(made, **changes)


def mandate(mandate_id: str = "man-1", **changes: Any) -> Mandate:
    made = Mandate(
        mandate_id=mandate_id,
        organisation_id="org-1",
        holder_kind=HolderKind.PERSON,
        holder_id="per-1",
        terms=terms(),
        state=MandateState.PROPOSED,
        grantor_accepted=True,
        holder_accepted=False,
        parent_id=None,
        created_at=NOW,
        changed_at=NOW,
    )
    return replace(made, **changes)


def client(client_id: str = "client-1", **changes: Any) -> ClientRecord:
    metadata = {
        "client_name": "Sample Bank",
        "profile": "fapi2",
        "redirect_uris": ["https://bank.example/callback"],
        "scope": "openid mandate",
        "token_endpoint_auth_method": "private_key_jwt",
    }
    made = ClientRecord(client_id, "bank.example", metadata, None, NOW, NOW)
    return replace(made, **changes)


def grant(grant_id: str = "grant-1", **changes: Any) -> Grant:
    made = Grant(
        grant_id=grant_id,
        client_id="client-1",
        grant_type="authorization_code",
        subject="org-1",
        actor="per-1",
        authority="man-1",
        session_id="ses-1",
        scope=("openid", "mandate"),
        resource=("https://api.example",),
        claims={},
        authorization_details=(),
        nonce=None,
        acr="loa2",
        amr=("pwd", "otp"),
        auth_time=NOW // 1000,
        created_at=NOW,
        expires_at=NOW + DAY,
    )
    return replace(made, **changes)


def code(name: str = "code-1", **changes: Any) -> AuthorizationCode:
    made = AuthorizationCode(
        digest(name), "grant-1", "https://bank.example/callback", "challenge", None, NOW + MINUTE
    )
    return replace(made, **changes)


def access_token(name: str = "access-1", **changes: Any) -> AccessToken:
    made = AccessToken(
        token_hash=digest(name),
        grant_id="grant-1",
        client_id="client-1",
        scope=("openid",),
        audience="",
        jkt=None,
        issued_at=NOW,
        expires_at=NOW + 5 * MINUTE,
    )
    return replace(made, **changes)


def refresh_token(name: str = "refresh-1", **changes: Any) -> RefreshToken:
    return replace(RefreshToken(digest(name), "grant-1", None, NOW, NOW + DAY), **changes)


def polled_request(**changes: Any) -> PolledRequest:
    made = PolledRequest(
        code_hash=digest("device code"),
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        client_id="client-1",
        user_code_hash=digest("BCDFGHJK"),
        subject=None,
        actor=None,
        parameters={"scope": "openid"},
        sealed=None,
        interval=5000,
        next_poll_at=NOW,
        created_at=NOW,
        expires_at=NOW + 10 * MINUTE,
    )
    return replace(made, **changes)


def pushed_request(name: str = "par-1", **changes: Any) -> PushedRequest:
    parameters = {"client_id": "client-1", "scope": "openid", "state": "風"}
    made = PushedRequest(digest(name), "client-1", parameters, "thumb", NOW + MINUTE)
    return replace(made, **changes)


def session(name: str = "ses-1", **changes: Any) -> Session:
    made = Session(
        session_hash=digest(name),
        session_id=name,
        person_id="per-1",
        assurance=Assurance.LOA2,
        methods=("pwd", "otp"),
        signed_in_at=NOW,
        expires_at=NOW + DAY,
        began_at=NOW,
        seen_at=NOW,
        browser="Firefox, Linux",
    )
    return replace(made, **changes)


def interaction(name: str = "int-1", **changes: Any) -> Interaction:
    made = Interaction(
        digest(name), digest("browser"), "client-1", "{}", None, None, None, NOW, NOW + MINUTE
    )
    return replace(made, **changes)


def consent(**changes: Any) -> Consent:
    scopes = frozenset({"openid", "mandate"})
    return replace(Consent("per-1", "org-1", "client-1", scopes, "", NOW), **changes)


def offer(name: str = "offer-1", **changes: Any) -> Offer:
    made = Offer(
        offer_id=name,
        code_hash=digest(name),
        transaction_code_hash=digest("1234"),
        organisation_id="org-1",
        person_id="per-1",
        authority="man-1",
        credentials=("company-identity", "representative"),
        created_at=NOW,
        expires_at=NOW + DAY,
    )
    return replace(made, **changes)


def deferred_issuance(name: str = "deferral-1", **changes: Any) -> DeferredIssuance:
    made = DeferredIssuance(
        deferral_id=name,
        client_id="client-1",
        organisation_id="org-1",
        person_id="per-1",
        configuration_id="representative",
        dataset="[]",
        holders=({"kty": "EC", "crv": "P-256", "x": "x", "y": "y"},),
        state=DeferralState.WAITING,
        created_at=NOW,
        expires_at=NOW + DAY,
    )
    return replace(made, **changes)


def status_list(list_id: str = "list-1", **changes: Any) -> StatusListRow:
    made = StatusListRow(
        list_id=list_id,
        bits=2,
        size=1024,
        sealed_permutation_key=b"sealed",
        reserved=0,
        version=0,
        created_at=NOW,
    )
    return replace(made, **changes)


def credential(name: str = "cred-1", index: int = 7, **changes: Any) -> Credential:
    made = Credential(
        credential_id=name,
        credential_type="representative",
        type_version="1",
        credential_format="dc+sd-jwt",
        organisation_id="org-1",
        person_id="per-1",
        mandate_id="man-1",
        representation_id=None,
        holder_thumbprint="thumb",
        entry=StatusEntry("list-1", index),
        state=CredentialState.ISSUED,
        payload_digest=digest("payload"),
        issued_at=NOW,
        expires_at=NOW + 30 * DAY,
        changed_at=NOW,
    )
    return replace(made, **changes)


def credential_row(made: Credential | None = None, **changes: Any) -> CredentialRow:
    one = made or credential()
    row = CredentialRow(one, "grant-1", "kid-1")
    return replace(row, **changes)


async def populate(store: Store) -> None:
    """One organisation, its director, a mandate for that person, a client, a status list."""

    async def work(uow: UnitOfWork) -> None:
        await uow.organisations.add("org-1", identifier(), registration())
        await uow.people.add(person())
        await uow.authority.add_representation(representation())
        await uow.authority.add_mandate(mandate(), Side.GRANTOR, "per-1")
        await uow.clients.add(client())
        await uow.status_lists.add(status_list())

    await store.write(work)
