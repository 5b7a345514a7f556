"""Token exchange at the running service: an accountant's firm acts for its client's business."""

from typing import Any

import pytest

from corpid.domain.mandate import Side, Substitution
from corpid.domain.organisation import Organisation
from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import SCOPES, Cast, Human
from tests.support.live_service import Live
from tests.support.live_sign_in import sign_in
from tests.support.live_visitor import Visitor
from tests.support.service_process import RESOURCE
from tests.support.wallet import unverified_payload

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
GRANTS = ("authorization_code", "refresh_token", EXCHANGE)
OTHER = "https://records.example"


class Practice:
    """A business, an accountant's firm with its person, and the firm's software."""

    def __init__(self, http: Http, cast: Cast, client: FapiClient) -> None:
        self.http, self.cast, self.client = http, cast, client
        self.business: Organisation
        self.firm: Organisation
        self.director: Human
        self.accountant: Human
        self.subject: dict[str, Any]
        self.actor: dict[str, Any]

    async def exchange(self, **changes: Any) -> Answer:
        fields = {
            "grant_type": EXCHANGE,
            "subject_token": self.subject["access_token"],
            "subject_token_type": ACCESS_TOKEN,
            "actor_token": self.actor["access_token"],
            "actor_token_type": ACCESS_TOKEN,
            **changes,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        return (await self.client.send_token_request(self.http, given)).answer

    async def told(self, token: str) -> dict[str, Any]:
        return await self.client.introspect(self.http, token)


@pytest.fixture
async def practice(http: Http, cast: Cast, live: Live) -> Practice:
    client = await cast.client(with_resource=True, grant_types=GRANTS)
    made = Practice(http, cast, client)
    made.business, made.director = await cast.acting()
    made.firm, made.accountant = await cast.acting()
    for name, human in (("subject", made.director), ("actor", made.accountant)):
        with Visitor(live.issuer) as visitor:
            done = await sign_in(http, client, visitor, human, resource=RESOURCE)
        setattr(made, name, done.tokens)
    return made


async def test_a_firm_acts_for_its_client_under_a_mandate(practice: Practice) -> None:
    await practice.cast.agent_mandate(practice.business, practice.firm)
    answer = (await practice.exchange(scope="openid mandate")).expect(200).json
    assert answer["issued_token_type"] == ACCESS_TOKEN
    claims = unverified_payload(answer["access_token"])
    subject = unverified_payload(practice.subject["access_token"])
    actor = unverified_payload(practice.actor["access_token"])
    assert claims["sub"] == subject["sub"], "the business"
    assert claims["act"]["sub"] == actor["act"]["sub"], "the accountant"
    firm = claims["act"]["act"]
    assert (firm["sub"], firm["sub_type"]) == (actor["sub"], "entity")
    assert firm["act"] == subject["act"], "who acted before"
    assert claims["mandate"]["basis"] == "mandate"
    assert claims["mandate"]["powers"] == ["file_returns"]
    told = await practice.told(answer["access_token"])
    assert told["active"] is True
    assert told["act"] == claims["act"]
    assert told["mandate"] == claims["mandate"]


async def test_without_a_mandate_nobody_acts(practice: Practice) -> None:
    assert (await practice.exchange()).expect(400).error == "invalid_grant"


async def test_a_joint_mandate_does_not_let_one_firm_act_alone(practice: Practice) -> None:
    await practice.cast.agent_mandate(practice.business, practice.firm, joint=True)
    assert (await practice.exchange()).expect(400).error == "invalid_grant"


async def test_the_mandate_of_another_business_is_not_enough(practice: Practice) -> None:
    other = await practice.cast.organisation()
    await practice.cast.agent_mandate(other, practice.firm)
    assert (await practice.exchange()).expect(400).error == "invalid_grant"


async def test_a_mandate_that_was_passed_on_counts_and_ends_with_its_parent(
    practice: Practice,
) -> None:
    cast = practice.cast
    secretaries = await cast.organisation()
    parent = await cast.agent_mandate(
        practice.business, secretaries, substitution=Substitution.LIMITED
    )
    await cast.agent_mandate(practice.business, practice.firm, parent=parent)
    token = (await practice.exchange()).expect(200).json["access_token"]
    assert (await practice.told(token))["active"] is True
    await cast.base.revocation.end_mandate(parent.mandate_id, "operator:t", Side.GRANTOR, "test")
    assert await practice.told(token) == {"active": False}
    assert (await practice.exchange()).expect(400).error == "invalid_grant"


async def test_the_end_of_the_mandate_reaches_the_exchanged_token(practice: Practice) -> None:
    mandate = await practice.cast.agent_mandate(practice.business, practice.firm)
    token = (await practice.exchange()).expect(200).json["access_token"]
    await practice.cast.base.revocation.end_mandate(
        mandate.mandate_id, "operator:t", Side.GRANTOR, "test"
    )
    assert await practice.told(token) == {"active": False}
    assert (await practice.exchange()).expect(400).error == "invalid_grant"


async def test_the_end_of_the_directors_role_reaches_it_too(practice: Practice) -> None:
    cast = practice.cast
    await cast.agent_mandate(practice.business, practice.firm)
    token = (await practice.exchange()).expect(200).json["access_token"]
    roles = await cast.base.store.read.authority.representations_of(practice.director.person_id)
    await cast.base.revocation.end_representation(roles[0].representation_id, "operator:t", "test")
    assert await practice.told(token) == {"active": False}
    assert (await practice.exchange()).expect(400).error == "invalid_request"


async def test_the_accountants_closed_account_reaches_it_too(practice: Practice) -> None:
    await practice.cast.agent_mandate(practice.business, practice.firm)
    token = (await practice.exchange()).expect(200).json["access_token"]
    await practice.cast.base.revocation.close_person(
        practice.accountant.person_id, "operator:t", "test"
    )
    assert await practice.told(token) == {"active": False}


async def test_tokens_the_wrong_way_round_give_nothing(practice: Practice) -> None:
    await practice.cast.agent_mandate(practice.business, practice.firm)
    answer = await practice.exchange(
        subject_token=practice.actor["access_token"], actor_token=practice.subject["access_token"]
    )
    assert answer.expect(400).error == "invalid_grant"


async def test_a_resource_server_calls_another_one_for_whoever_called_it(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    server = await cast.client(
        scopes=("openid", "mandate"),
        redirect_uri="https://api.example/none",
        grant_types=("client_credentials", EXCHANGE),
        resources=(OTHER,),
        serves=(RESOURCE,),
    )
    client = await cast.client(
        scopes=SCOPES, resources=(RESOURCE,), serves=(), may_act=server.client_id
    )
    _, human = await cast.acting()
    done = await sign_in(http, client, visitor, human, resource=RESOURCE)
    shown = unverified_payload(done.access_token)
    assert shown["may_act"] == {"sub": server.client_id, "sub_type": "client"}
    fields = {
        "grant_type": EXCHANGE,
        "subject_token": done.access_token,
        "subject_token_type": ACCESS_TOKEN,
        "audience": OTHER,
    }
    onwards = await server.token(http, fields)
    claims = unverified_payload(onwards["access_token"])
    assert (claims["aud"], claims["client_id"]) == (OTHER, server.client_id)
    assert claims["scope"] == "openid mandate"
    assert claims["act"]["sub"] != shown["act"]["sub"], "another sector"
    assert claims["exp"] <= shown["exp"]
    refused = await server.send_token_request(http, {**fields, "audience": RESOURCE})
    assert refused.answer.expect(400).error == "invalid_target"
