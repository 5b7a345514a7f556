"""Issuing at an operator's word: the key is the holder's by a proof, by an offer, or by that word.

The facts are decided on by the same rules as at the credential endpoint.
"""

import secrets
from dataclasses import replace
from typing import Any

import orjson
import pytest

from corpid.domain.credential import CredentialState, EntryStatus
from corpid.domain.errors import InvalidValue, NotAllowed
from corpid.domain.issuance import KeyEvidence
from corpid.services.bulk import BulkReport, ShortTurns, Stopped
from corpid.services.bulk_issuance import BulkIssuance
from corpid.services.credential_catalogue import TYPES
from corpid.services.credential_facts import Denied
from corpid.services.issuance_requests import IssuanceRequest
from corpid.services.operator_issuance import OperatorIssuance
from corpid.storage.database import Database
from keys.signer import generate
from oidc.errors import InvalidNonce, InvalidProof, OAuthError, TemporarilyUnavailable
from oidc.issuer.configuration import KeyAttestationNeed
from oidc.secrets import Nonces
from tests.support.issuer_world import (
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    World,
    payload_of,
)

OPERATOR = "operator:test"
NUMBER = "12345678"
WEEK = 7 * 24 * 3600
SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def operator(world: World, reason: str = "seen at the counter", **issuer: Any) -> OperatorIssuance:
    nonces = Nonces(b"o" * 32, WEEK)
    return OperatorIssuance(
        world.store,
        world.issuance,
        replace(world.issuer, credential_nonces=nonces, **issuer),
        world.offers,
        actor=OPERATOR,
        reason=reason,
    )


def asked(type_id: str = "company-identity", **more: Any) -> IssuanceRequest:
    return IssuanceRequest(NUMBER, type_id, **{"jwk": dict(generate("ES256").public_jwk), **more})


async def proven(world: World, type_id: str, nonces: Nonces | None = None) -> IssuanceRequest:
    nonces = nonces or Nonces(b"o" * 32, WEEK)
    nonce = nonces.issue(world.now, secrets.token_bytes)
    proof = await world.wallet().proof(nonce=nonce)
    return IssuanceRequest(NUMBER, type_id, person=CLERK, proof=proof)


async def audited(world: World, event: str) -> list[dict[str, Any]]:
    return [
        orjson.loads(body)["facts"]
        for body in await world.store.read.operations.audit_rows(99, event)
    ]


async def test_a_proven_key_gets_what_lets_its_holder_act(world: World) -> None:
    made = await operator(world).issue(await proven(world, "representative"))
    says = payload_of(made["credential"])
    assert says["cnf"]["jwk"]["x"] == world.wallet().holder.public_jwk["x"]
    credential = await world.store.read.credentials.by_id(made["credential_id"])
    assert credential is not None
    assert (credential.person_id, credential.mandate_id) == (CLERK, MANDATE)
    assert credential.state is CredentialState.ISSUED
    (told,) = await audited(world, "credential.issued")
    assert (told["actor"], told["key"]) == (OPERATOR, KeyEvidence.PROOF)


async def test_an_operators_word_for_a_key_is_enough_only_where_the_rule_says_so(
    world: World,
) -> None:
    allowed = {name for name, kind in TYPES.items() if kind.rule.operator_keys}
    assert allowed == {"company-identity", "company-certificate", "branch"}
    made = await operator(world).issue(asked(person=PERSON))
    (told,) = await audited(world, "credential.issued")
    assert (told["key"], told["reason"]) == (KeyEvidence.OPERATOR, "seen at the counter")
    assert told["credential_id"] == made["credential_id"]
    with pytest.raises(Denied, match="must be proven"):
        await operator(world).issue(asked("representative", person=PERSON))
    (refused,) = await audited(world, "credential.refused")
    assert (refused["reason"], refused["actor"]) == ("key_not_proven", OPERATOR)
    with pytest.raises(InvalidValue, match="--reason"):
        await operator(world, reason="").issue(asked(person=PERSON))


@SQLITE
async def test_a_proof_has_a_nonce_that_operators_give_out(world: World) -> None:
    of_the_endpoint = await proven(world, "representative", world.issuer.credential_nonces)
    with pytest.raises(InvalidNonce):
        await operator(world).issue(of_the_endpoint)
    stale = await proven(world, "representative")
    world.now += WEEK + 1
    with pytest.raises(OAuthError):
        await operator(world).issue(stale)
    nonce = Nonces(b"o" * 32, WEEK).issue(world.now, secrets.token_bytes)
    for_another = await world.wallet().proof(nonce=nonce, aud="https://other.example")
    with pytest.raises(InvalidProof, match="aud"):
        await operator(world).issue(replace(stale, proof=for_another))


@SQLITE
async def test_the_facts_decide_as_at_the_endpoint(world: World) -> None:
    with pytest.raises(NotAllowed, match="no representation"):
        await operator(world).issue(replace(asked(person=CLERK), organisation="87654321"))
    await world.revocation.suspend_organisation(ORGANISATION, OPERATOR, "inquiry")
    with pytest.raises(NotAllowed, match="suspended"):
        await operator(world).issue(asked(person=PERSON))
    assert [one["reason"] for one in await audited(world, "credential.refused")] == [
        "not_allowed",
        "not_allowed",
    ]


@SQLITE
async def test_a_key_that_must_be_attested_is_not_by_an_operators_word(world: World) -> None:
    config = world.issuer.config
    need = KeyAttestationNeed((), ())
    wanting = {
        name: replace(one, key_attestation=need) for name, one in config.configurations.items()
    }
    strict = replace(config, configurations=wanting)
    with pytest.raises(Denied, match="attested"):
        await operator(world, config=strict).issue(asked(person=PERSON))


@SQLITE
async def test_under_haip_an_operator_issues_nothing(database: Database) -> None:
    world = await World(database, haip=True).prepare()
    with pytest.raises(Denied, match="HAIP"):
        await operator(world).issue(asked(person=PERSON))


@SQLITE
async def test_without_a_person_it_is_the_only_one_who_may(world: World) -> None:
    plan = await operator(world).plan(asked())
    assert plan.person_id == PERSON
    with pytest.raises(InvalidValue, match="name the person"):
        await operator(world).plan(replace(asked(), organisation="87654321"))


async def test_the_same_key_again_is_a_renewal_and_a_revoked_one_gets_no_more(
    world: World,
) -> None:
    request = asked(person=PERSON)
    first = await operator(world).issue(request)
    second = await operator(world).issue(request)
    read = world.store.read.credentials
    assert {one.credential_id for one in await read.due(world.now_ms() + 2 * 86_400_000, 9)} == {
        first["credential_id"]
    }
    report = await world.revocation.revoke_credential(second["credential_id"], OPERATOR, "lost")
    assert report.credentials == 2
    with pytest.raises(Denied, match="revoked"):
        await operator(world).issue(request)
    assert (await audited(world, "credential.refused"))[0]["reason"] == "key_revoked"


class Run:
    """A bulk run over rows in memory; ``deliver`` may fail."""

    def __init__(self, world: World, fail_at: int = 0) -> None:
        self.told: list[dict[str, Any]] = []
        self.chunks = 0
        self._fail_at = fail_at
        self.bulk = BulkIssuance(
            world.store,
            operator(world),
            ShortTurns(world.store, 0.0),
            world.clock,
            actor=OPERATOR,
            deliver=self.deliver,
            progress=lambda _: None,
        )

    def deliver(self, results: Any) -> None:
        self.chunks += 1
        if self.chunks == self._fail_at:
            raise KeyboardInterrupt
        self.told += results

    async def go(self, rows: list[Any], delivered: int = 0) -> BulkReport:
        batch = await self.bulk.begin("a-file")
        return await self.bulk.run(batch, enumerate(rows, 1), delivered)


def rows_of(count: int) -> list[dict[str, Any]]:
    return [
        {
            "organisation": NUMBER,
            "type": "company-identity",
            "person": PERSON,
            "jwk": dict(generate("ES256").public_jwk),
        }
        for _ in range(count)
    ]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_was_recorded_and_not_told_is_issued_anew_and_the_first_ends(
    world: World,
) -> None:
    rows = rows_of(30)
    died = Run(world, fail_at=2)
    with pytest.raises(KeyboardInterrupt):
        await died.go(rows)
    told = died.told[-1]["line"]
    again = Run(world)
    await again.go(rows, told)
    assert [one["line"] for one in died.told + again.told] == list(range(1, 31))
    found = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    live = {one.credential_id for one in found if one.state is CredentialState.ISSUED}
    assert live == {one["credential_id"] for one in died.told + again.told}
    for one in found:
        status = await world.store.read.status_lists.status_of(one.entry)
        assert (status is EntryStatus.VALID) is (one.credential_id in live)


@SQLITE
async def test_two_runs_of_one_file_do_not_both_go_on(world: World) -> None:
    rows = rows_of(3)
    slow, quick = Run(world), Run(world)
    batch = await slow.bulk.begin("a-file")
    await quick.go(rows)
    with pytest.raises(Stopped, match="another run"):
        await slow.bulk.run(batch, enumerate(rows, 1), 0)
    assert slow.told == []
    assert len(await world.store.read.credentials.find()) == 3


@SQLITE
async def test_a_run_stops_where_nothing_can_be_signed(world: World) -> None:
    """An mdoc without a document signer's certificate: no row is given up for that."""
    run = Run(world)
    with pytest.raises(TemporarilyUnavailable):
        await run.go([{**one, "type": "company-identity-mdoc"} for one in rows_of(1)])
    assert run.told == []
    known = await world.store.read.issuance_batches.by_id("a-file")
    assert known is not None
    assert (known.done_line, known.refused) == (0, 0)


@SQLITE
async def test_one_row_that_cannot_be_recorded_does_not_take_the_others_with_it(
    world: World,
) -> None:
    rows = rows_of(3)
    first = Run(world)
    await first.go(rows[1:2])
    await world.revocation.revoke_credential(first.told[0]["credential_id"], OPERATOR, "lost")
    run = Run(world)
    batch = await run.bulk.begin("another-file")
    report = await run.bulk.run(batch, enumerate(rows, 1), 0)
    assert (report.counts["issued"], report.refused) == (2, 1)
    assert [one.get("error") for one in run.told] == [None, "key_revoked", None]
