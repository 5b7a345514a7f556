"""grant_type=…:pre-authorized_code (OpenID4VCI 1.0, 6)."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from oidc.ports import Detail
from tests.support.asgi import Answer
from tests.support.mtls_world import MtlsWorld
from tests.support.provider_world import ISSUER, PRE_AUTHORIZED, World, basic, client, key


async def redeem(
    world: World,
    *headers: tuple[bytes, bytes],
    client_id: str | None = None,
    proof: bool = True,
    **changes: str,
) -> Answer:
    form = {
        "grant_type": PRE_AUTHORIZED,
        "pre-authorized_code": "cid_pc_1",
        "tx_code": "4711",
        **changes,
    }
    proofs = [await world.proof()] if proof else []
    return await world.token(client_id, form, *proofs, *headers)


def ready(tx_code: str | None = "4711") -> World:
    world = World()
    world.add_offer(tx_code=tx_code)
    return world


def refused(answer: Answer, error: str, status: int = 400) -> None:
    assert (answer.status, answer.error) == (status, error)


async def test_anonymous_access_with_dpop_and_transaction_code() -> None:
    world = ready()
    answer = await redeem(world)
    assert answer.status == 200
    assert set(answer.json) == {"access_token", "token_type", "expires_in"}  # no c_nonce (1.0)
    assert answer.json["token_type"] == "DPoP"
    (grant,) = world.tables.grants.values()
    assert (grant.client_id, grant.subject, grant.actor) == ("", "org-1", "person-1")
    assert grant.authority == "mandate-1"
    assert grant.authorization_details == (
        {"type": "openid_credential", "credential_configuration_id": "company-identity"},
    )
    (row,) = world.tables.access_tokens.values()
    assert (row.grant_id, row.audience, row.jkt) == (grant.grant_id, "", key("dpop").kid)


async def test_an_unproven_client_id_is_no_identity() -> None:
    """Wallets send one though nothing needs it; it neither helps nor hurts."""
    for client_id in ("some-wallet", "bank"):
        world = ready()
        form = {
            "grant_type": PRE_AUTHORIZED,
            "pre-authorized_code": "cid_pc_1",
            "tx_code": "4711",
            "client_id": client_id,
        }
        assert (await world.token(None, form, await world.proof())).status == 200
        (grant,) = world.tables.grants.values()
        assert grant.client_id == ""


async def test_a_public_client_with_some_certificate_is_as_anonymous() -> None:
    """The certificate is nobody's: it must not stand in for transaction code and DPoP proof."""
    for tx_code, proofs, error in (
        (None, True, "invalid_client"),
        ("4711", False, "invalid_dpop_proof"),
    ):
        world = MtlsWorld()
        world.add_offer(tx_code=tx_code)
        world.add(
            client(
                "wallet",
                jwks=None,
                token_endpoint_auth_method="none",
                grant_types=frozenset({PRE_AUTHORIZED}),
            )
        )
        form = {
            "grant_type": PRE_AUTHORIZED,
            "pre-authorized_code": "cid_pc_1",
            "client_id": "wallet",
            **({} if tx_code is None else {"tx_code": tx_code}),
        }
        sent = [await world.proof()] if proofs else []
        answer = await world.post(world.token_endpoint, form, world.own, *sent)
        assert answer.error == error
        assert not world.tables.access_tokens


async def test_anonymous_access_without_dpop_is_refused() -> None:
    world = ready()
    refused(await redeem(world, proof=False), "invalid_dpop_proof")
    assert (await redeem(world)).status == 200


async def test_anonymous_access_without_a_transaction_code_is_invalid_client() -> None:
    refused(await redeem(ready(tx_code=None), tx_code=""), "invalid_client", 401)


async def test_tx_code_missing_though_required_is_invalid_request() -> None:
    world = ready()
    refused(await redeem(world, tx_code=""), "invalid_request")
    assert world.tables.offers["o1"].wrong_tries == 0


async def test_tx_code_present_though_not_required_is_invalid_request() -> None:
    world = ready(tx_code=None)
    world.change_client("service", grant_types=frozenset({PRE_AUTHORIZED}))
    refused(await redeem(world, client_id="service"), "invalid_request")
    assert (await redeem(world, client_id="service", tx_code="")).status == 200


@pytest.mark.parametrize("code", ["cid_pc_unknown", "cid_ac_1"])
async def test_a_wrong_code_is_invalid_grant(code: str) -> None:
    refused(await redeem(ready(), **{"pre-authorized_code": code}), "invalid_grant")


async def test_a_missing_code_is_invalid_request() -> None:
    refused(await redeem(ready(), **{"pre-authorized_code": ""}), "invalid_request")


async def test_a_wrong_tx_code_is_invalid_grant_and_counted() -> None:
    world = ready()
    refused(await redeem(world, tx_code="0000"), "invalid_grant")
    assert world.tables.offers["o1"].wrong_tries == 1
    assert (await redeem(world)).status == 200


async def test_five_wrong_tries_end_the_offer() -> None:
    world = ready()
    wrong = []
    for n in range(5):
        wrong.append(await redeem(world, tx_code=f"000{n}"))
        world.now += 20  # longer than the longest wait
    for answer in wrong:
        refused(answer, "invalid_grant")
    assert world.tables.offers["o1"].ended_at is not None
    # The right code comes too late, and nothing tells that it would have been right.
    assert await redeem(world) == wrong[0]
    assert world.tables.grants == {}


async def test_brute_force_is_slowed_before_it_is_stopped() -> None:
    world = ready()
    for tx_code in ("0000", "0001"):  # a slip of the finger may be put right at once
        refused(await redeem(world, tx_code=tx_code), "invalid_grant")
    for wait in (2, 4):
        refused(await redeem(world, tx_code="0002"), "invalid_grant")
        too_soon = await redeem(world)
        refused(too_soon, "temporarily_unavailable", 429)
        assert too_soon.header("retry-after") == str(wait)
        tries = world.tables.offers["o1"].wrong_tries
        world.now += wait - 1
        refused(await redeem(world, tx_code="0003"), "temporarily_unavailable", 429)
        assert world.tables.offers["o1"].wrong_tries == tries, "what is not looked at is no try"
        world.now += 1
    assert (await redeem(world)).status == 200


async def test_tries_at_the_same_moment_are_counted_one_by_one() -> None:
    world = ready()
    guesses = [*(f"{n:04}" for n in range(20)), "4711"]
    answers = await asyncio.gather(*(redeem(world, tx_code=guess) for guess in guesses))
    assert {answer.status for answer in answers} <= {400, 429}
    assert world.tables.offers["o1"].used_at is None


async def test_of_two_requests_at_the_same_moment_one_wins() -> None:
    world = ready()
    answers = await asyncio.gather(*(redeem(world) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    assert len(world.tables.grants) == len(world.tables.access_tokens) == 1


async def test_a_wallet_that_authenticates_may_come_back_if_it_registered_for_that() -> None:
    world = ready()
    world.change_client("bank", grant_types=frozenset({PRE_AUTHORIZED, "refresh_token"}))
    first = await redeem(world, client_id="bank")
    world.now += 3600
    form = {"grant_type": "refresh_token", "refresh_token": first.json["refresh_token"]}
    later = await world.token("bank", form, await world.proof())
    assert later.status == 200
    (grant,) = world.tables.grants.values()
    rows = world.tables.access_tokens.values()
    assert {row.grant_id for row in rows} == {grant.grant_id}
    assert grant.expires_at == grant.created_at + 30 * 24 * 3600 * 1000


async def test_others_get_no_refresh_token_with_an_offer() -> None:
    world = ready()
    assert "refresh_token" not in (await redeem(world)).json
    world = ready()
    world.change_client("bank", grant_types=frozenset({PRE_AUTHORIZED}))
    assert "refresh_token" not in (await redeem(world, client_id="bank")).json
    (grant,) = world.tables.grants.values()
    assert grant.expires_at == grant.created_at + 300_000


async def test_an_offer_counts_once() -> None:
    world = ready()
    assert (await redeem(world)).status == 200
    refused(await redeem(world), "invalid_grant")


async def test_an_offer_expires() -> None:
    world = ready()
    world.now += 600
    refused(await redeem(world), "invalid_grant")


async def test_who_tries_to_authenticate_must_succeed() -> None:
    world = ready()
    refused(await redeem(world, basic("legacy", "wrong")), "invalid_client", 401)
    refused(await redeem(world, client_id="bank"), "unauthorized_client")
    world.change_client("bank", grant_types=frozenset({PRE_AUTHORIZED}))
    assert (await redeem(world, client_id="bank")).status == 200
    (grant,) = world.tables.grants.values()
    assert grant.client_id == "bank"


async def test_other_grants_are_not_for_anonymous_requests() -> None:
    world = World()
    for grant_type in ("authorization_code", "refresh_token", "client_credentials", "nonsense"):
        form = {"grant_type": grant_type, "resource": ISSUER}
        refused(await world.token(None, form, await world.proof()), "invalid_client", 401)


# OpenID4VCI 1.0, 6.1.1: authorization_details in the token request.


class _Credentials:
    """The type ``openid_credential``, as far as this endpoint sees it."""

    def read(self, detail: Detail) -> Detail:
        return {"type": detail["type"], _NAME: detail[_NAME]}

    def granted(self, detail: Detail) -> Detail:
        return {**detail, "credential_identifiers": [f"{detail[_NAME]}/1"]}

    def covers(self, had: Detail, wanted: Detail) -> bool:
        return bool(had[_NAME] == wanted[_NAME])


_NAME = "credential_configuration_id"


def credential_world() -> World:
    world = World(detail_types={"openid_credential": _Credentials()})
    world.add_offer()
    return world


def asking(name: str) -> dict[str, str]:
    wanted = [{"type": "openid_credential", _NAME: name}]
    return {"authorization_details": orjson.dumps(wanted).decode()}


async def test_openid4vci_6_2_details_bring_credential_identifiers() -> None:
    world = credential_world()
    answer = await redeem(world, **asking("company-identity"))
    expected = {
        "type": "openid_credential",
        _NAME: "company-identity",
        "credential_identifiers": ["company-identity/1"],
    }
    assert answer.json["authorization_details"] == [expected]
    (grant,) = world.tables.grants.values()
    assert grant.authorization_details == (expected,)


async def test_openid4vci_6_1_1_details_beyond_the_offer_are_refused_and_use_nothing_up() -> None:
    world = credential_world()
    refused(await redeem(world, **asking("representative")), "invalid_authorization_details")
    assert (await redeem(world)).status == 200


@pytest.mark.parametrize("asked", [False, True])
async def test_openid4vci_6_2_an_offer_with_identifiers_of_its_own_brings_them(asked: bool) -> None:
    world = credential_world()
    offer = world.tables.offers["o1"]
    world.tables.offers["o1"] = replace(offer, identifiers={"company-identity": "identity/7"})
    detail = {"type": "openid_credential", "credential_configuration_id": "company-identity"}
    extra = {"authorization_details": orjson.dumps([detail]).decode()} if asked else {}
    answer = await redeem(world, **extra)
    expected = [{**detail, "credential_identifiers": ["identity/7"]}]
    assert answer.json["authorization_details"] == expected
    (grant,) = world.tables.grants.values()
    assert list(grant.authorization_details) == expected
