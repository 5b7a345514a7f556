"""Credential types at the running service, from the offer to the bank that verifies."""

from datetime import date

from corpid.domain.business_number import parse_business_number
from corpid.domain.languages import Names
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry
from corpid.relying_party import Policy, RelyingParty
from corpid.services.offers import GRANT_TYPE
from corpid.services.organisations import Organisations
from tests.support.fapi_client_http import Http
from tests.support.live_cast import ACTOR, TRANSACTION_CODE, Cast
from tests.support.live_service import Live
from tests.support.wallet import Wallet, credential_of


async def test_a_bank_reads_in_a_joint_signers_credential_that_one_is_not_enough(
    live: Live, http: Http, cast: Cast
) -> None:
    organisation, human = await cast.organisation(), await cast.human()
    mandate = await cast.mandate(organisation, human, "sign_contract", joint=True)
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0))
    for kind in ("representative", "mandate"):
        wallet = Wallet(live.issuer)
        code = await cast.offer(organisation, human, (kind,))
        credential = credential_of(await wallet.credential(http, code, TRANSACTION_CODE, kind))
        verified = await party.verify_credential(credential, audience=None, nonce=None)
        (read,) = verified.mandates
        assert read.terms == mandate.terms
        alone = read.permits("sign_contract", on_date=date(2030, 1, 2))
        together = read.permits("sign_contract", on_date=date(2030, 1, 2), co_signed=True)
        assert [one.code for one in alone.reasons] == ["joint_signature"]
        assert together.granted


async def test_an_offer_of_a_branch_leads_to_that_branch(
    live: Live, http: Http, cast: Cast
) -> None:
    organisation, human = await cast.acting()
    for code in ("001", "002"):
        entry = RegisterEntry(
            number=parse_business_number(f"{organisation.number}-{code}"),
            names=Names(f"SAMPLE PIER {code}"),
            entity_type=EntityType.LOCAL_PRIVATE_COMPANY,
            status=EntityStatus.LIVE,
            source="sample register",
            as_of="2026-01-01",
            address=f"Pier {int(code)}, Sample Harbour",
        )
        base = cast.base
        await Organisations(base.store, base.clock, base.random).add(entry, ACTOR)
    offer = await cast.base.offers.create(
        organisation.organisation_id,
        human.person_id,
        ["branch"],
        actor=ACTOR,
        transaction_code=TRANSACTION_CODE,
        branch="002",
    )
    wallet = Wallet(live.issuer)
    grant = offer.document["grants"][GRANT_TYPE]
    sent = await wallet.redeem(http, grant["pre-authorized_code"], TRANSACTION_CODE)
    token = sent.answer.expect(200).json
    (detail,) = token["authorization_details"]
    (identifier,) = detail["credential_identifiers"]
    wanted = {
        "credential_identifier": identifier,
        "proofs": {"jwt": [wallet.key_proof(await wallet.nonce(http))]},
    }
    answer = await wallet.post(http, "/credential", token["access_token"], wanted)
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0))
    verified = await party.verify_credential(
        credential_of(answer.expect(200)), audience=None, nonce=None
    )
    assert verified.claims["name"] == "SAMPLE PIER 002"
    assert verified.claims["identifier"]["branch"] == "002"
    assert verified.mandates == (), "a branch's credential gives nobody authority"
