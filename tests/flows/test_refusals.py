"""What must not come about: every refusal with its code, its `iss` and its `state`."""

from corpid.domain.mandate import Side
from tests.support.fapi_client_http import Http
from tests.support.live_cast import ACTOR, TRANSACTION_CODE, Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import answered, authorize, sign_in
from tests.support.live_visitor import Visitor, answer_in
from tests.support.wallet import Wallet


async def test_rfc9207_a_denied_consent_is_access_denied_with_iss_and_state(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    _, answer = await answered(http, client, visitor, human, action="deny", state="s 1")
    assert answer["error"] == "access_denied"
    assert (answer["iss"], answer["state"]) == (live.issuer, "s 1")
    assert "code" not in answer
    _, where = await authorize(http, client, visitor, prompt="none")
    assert answer_in(where)["error"] == "consent_required"


async def test_a_loa1_person_goes_no_further_at_a_loa2_client(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.organisation(), await cast.human(totp=False)
    await cast.director(organisation, human)
    client = await cast.client(min_acr="loa2")
    await authorize(http, client, visitor, state="s")
    where = visitor.submit(username=human.username, password=human.password)
    assert where.startswith(live.issuer)
    assert visitor.form is not None
    assert visitor.form.fields["step"] == "blocked"
    cancelled = answer_in(visitor.submit(action=visitor.form.choices["action"][0]))
    assert cancelled["error"] == "unmet_authentication_requirements"
    assert cancelled["iss"] == live.issuer
    _, silent = await authorize(http, client, visitor, prompt="none")
    assert answer_in(silent)["error"] == "unmet_authentication_requirements"


async def test_who_has_a_joint_mandate_only_cannot_act_alone(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.organisation(), await cast.human()
    await cast.mandate(organisation, human, "borrow", joint=True)
    client = await cast.client()
    await authorize(http, client, visitor)
    visitor.submit(username=human.username, password=human.password)
    from examples.demo.browser import one_time_code

    assert visitor.form is not None
    if visitor.form.fields["step"] == "code":
        visitor.submit(otp=one_time_code(human.secret))
    assert visitor.form.fields["step"] == "blocked"


async def test_a_joint_mandate_is_no_choice_beside_another(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.acting()
    await cast.mandate(await cast.organisation(), human, "borrow", joint=True)
    client = await cast.client()
    done = await sign_in(http, client, visitor, human)
    assert "organisation" not in visitor.steps
    told = (await client.userinfo(http, done.access_token)).expect(200).json
    assert told["sub_attributes"]["entity_reg_number"] == organisation.number


async def test_a_mandate_counts_only_after_both_sides_accepted(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    await cast.mandate(await cast.organisation(), human, accepted=False)
    client = await cast.client()
    await sign_in(http, client, visitor, human)
    assert "organisation" not in visitor.steps


async def test_an_organisation_suspended_in_between_ends_what_was_begun(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.acting()
    client = await cast.client()
    done = await sign_in(http, client, visitor, human)
    verifier, answer = await answered(http, client, visitor, None)
    await cast.base.revocation.suspend_organisation(organisation.organisation_id, ACTOR, "test")

    late = await client.send_token_request(http, client.redemption(answer["code"], verifier))
    assert late.answer.expect(400).error == "invalid_grant"
    (await client.userinfo(http, done.access_token)).expect(401)
    assert await client.introspect(http, done.access_token) == {"active": False}
    fields = {"grant_type": "refresh_token", "refresh_token": done.tokens["refresh_token"]}
    refreshed = await client.send_token_request(http, fields)
    assert refreshed.answer.expect(400).error == "invalid_grant"
    _, where = await authorize(http, client, visitor, prompt="none")
    assert "code" not in answer_in(where)


async def test_a_mandate_ended_between_consent_page_and_yes_gives_no_code(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.organisation(), await cast.human()
    mandate = await cast.mandate(organisation, human)
    client = await cast.client()
    await authorize(http, client, visitor)
    from examples.demo.browser import one_time_code

    visitor.submit(username=human.username, password=human.password)
    visitor.submit(otp=one_time_code(human.secret))
    assert visitor.form is not None
    assert visitor.form.fields["step"] == "consent"
    await cast.base.revocation.end_mandate(mandate.mandate_id, ACTOR, Side.GRANTOR, "test")
    where = visitor.submit(action="approve")
    assert "code=" not in where


async def test_a_mandate_ended_between_token_and_credential_gives_no_credential(
    live: Live, http: Http, cast: Cast
) -> None:
    organisation, human = await cast.organisation(), await cast.human()
    mandate = await cast.mandate(organisation, human)
    wallet = Wallet(live.issuer)
    sent = await wallet.redeem(http, await cast.offer(organisation, human), TRANSACTION_CODE)
    token = sent.answer.expect(200).json["access_token"]
    await cast.base.revocation.end_mandate(mandate.mandate_id, ACTOR, Side.GRANTOR, "test")
    answer = await wallet.ask(http, token, "representative", await wallet.nonce(http))
    assert answer.status in {400, 401}
    assert answer.error in {"credential_request_denied", "invalid_token"}


async def test_a_disabled_client_is_refused_at_once_by_the_running_service(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    done = await sign_in(http, client, visitor, human)
    await cast.base.revocation.disable_client(client.client_id, ACTOR)
    fields = {"grant_type": "refresh_token", "refresh_token": done.tokens["refresh_token"]}
    refused = await client.send_token_request(http, fields)
    assert refused.answer.expect(401).error == "invalid_client"
    (await client.userinfo(http, done.access_token)).expect(401)
