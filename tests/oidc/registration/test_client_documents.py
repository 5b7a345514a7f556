"""Clients whose id is the address of their metadata (draft-ietf-oauth-client-id-metadata-document),
on both databases: what the address and the document must be.
"""

import json
from typing import Any

import pytest

from corpid.domain.errors import InvalidValue
from corpid.services.client_documents import LONGEST_REST
from corpid.services.client_metadata import Registration
from corpid.services.clients import Clients
from keys import jws
from oidc.errors import InvalidClient
from oidc.ports import FetchFailed
from oidc.provider.client_documents import MAX_ADDRESS, read_address
from tests.support.asgi import Answer
from tests.support.provider_world import ASSERTION_TYPE, ISSUER, basic, key
from tests.support.registration_world import CALLBACK, RegistrationWorld, jwks

CLIENT = "https://rp.sample-bank.example/client.json"
SECOND = "https://rp.sample-bank.example/second.json"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {
        "client_document_hosts": ("rp.sample-bank.example", "dev.sample-bank.example:8443"),
        "registration_profiles": ("fapi2",),
    }


def document(**changes: Any) -> dict[str, Any]:
    """What an honest client publishes; None leaves a member out."""
    usual: dict[str, Any] = {
        "client_id": CLIENT,
        "client_name": "Sample Bank",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": jwks(),
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def publish(world: RegistrationWorld, *, url: str = CLIENT, **changes: Any) -> None:
    body = json.dumps(document(**{"client_id": url, **changes})).encode()
    world.outbound.says(url, body)


async def push(
    world: RegistrationWorld, client_id: str = CLIENT, name: str = "rp", **form: str
) -> Answer:
    """A pushed request of a client with keys."""
    now = int(world.now)
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "iat": now, "exp": now + 60}
    claims["jti"] = f"{world.count()}-{id(world)}"
    given = {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": await jws.sign(key(name), claims, typ=None),
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **form,
    }
    return await world.form("/par", given)


async def refused(world: RegistrationWorld, **changes: Any) -> str:
    """Why a client with this document is no client."""
    publish(world, **changes)
    answer = await push(world)
    assert (answer.status, answer.error) == (401, "invalid_client"), answer.body
    assert await world.store.read.clients.by_id(CLIENT) is None
    world.wait(LONGEST_REST)
    return str(answer.json["error_description"])


@pytest.mark.parametrize(
    "address",
    [
        "https://rp.example",  # no path
        "https://rp.example?client",
        "https://rp.example/client#fragment",
        "https://rp.example/client#",
        "https://user@rp.example/client",
        "https://user:secret@rp.example/client",
        "https://@rp.example/client",
        "https://rp.example/./client",
        "https://rp.example/a/../client",
        "https://rp.example/a/..",
        "https://rp.example/a/%2e%2E/client",
        "https:///client",
        "https://rp.example:99999/client",
        "https://[rp.example/client",
        "https://rp.example\\@other.example/client",
        "https://rp.example/a client",
        "https://rp.example/\nclient",
        "https://rp.example/客",
        "https://rp.example/" + "a" * MAX_ADDRESS,
        "http://rp.example/client",
    ],
)
def test_cimd_2_the_address_has_a_path_and_no_fragment_user_or_dot_segment(address: str) -> None:
    with pytest.raises(InvalidClient):
        read_address(address)


@pytest.mark.parametrize(
    ("address", "authority"),
    [
        ("https://rp.example/", "rp.example"),
        ("https://RP.example/client.v1/...", "rp.example"),
        ("https://rp.example:443/client", "rp.example"),
        ("https://rp.example:8443/client?version=1", "rp.example:8443"),
    ],
)
def test_cimd_2_a_port_and_a_query_are_allowed(address: str, authority: str) -> None:
    assert read_address(address).authority == authority


async def test_a_bad_address_is_asked_of_nobody(world: RegistrationWorld) -> None:
    for bad in ("https://rp.sample-bank.example", f"{CLIENT}#x", f"{CLIENT}/../x"):
        assert (await push(world, bad)).error == "invalid_client"
    assert world.outbound.asked == []


async def test_cimd_4_the_client_is_what_its_document_says(world: RegistrationWorld) -> None:
    publish(world)
    answer = await push(world)
    assert answer.status == 201, answer.body
    assert world.outbound.asked == [CLIENT]
    record = await world.store.read.clients.by_id(CLIENT)
    assert record.sector == "rp.sample-bank.example"
    assert record.secret_hash is None
    found = await world.store.read.provider_reads.client(CLIENT)
    assert (found.profile, found.redirect_uris) == ("fapi2", (CALLBACK,))
    assert found.scopes == {"openid", "entity.identity"}
    (event,) = await world.events("client.added")
    assert f'"actor":"client:{CLIENT}"'.encode() in event.replace(b" ", b"")


async def test_cimd_8_1_its_keys_may_be_at_an_address(world: RegistrationWorld) -> None:
    uri = "https://keys.sample-bank.example/jwks"
    publish(world, jwks=None, jwks_uri=uri)
    world.outbound.says(uri, json.dumps(jwks()).encode())
    assert (await push(world)).status == 201
    assert (await push(world, name="other")).error == "invalid_client"


async def test_cimd_8_1_a_client_with_keys_must_use_them(world: RegistrationWorld) -> None:
    publish(world)
    answer = await world.form("/par", {"client_id": CLIENT, "response_type": "code"})
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_cimd_3_client_id_is_the_address_letter_by_letter(world: RegistrationWorld) -> None:
    with_port = CLIENT.replace(".example/", ".example:443/")
    others: list[Any] = [None, "", SECOND, CLIENT.upper(), f"{CLIENT}/", with_port, 7]
    for other in others:
        assert "letter by letter" in await refused(world, client_id=other)


async def test_cimd_3_1_no_shared_secret_and_no_private_key(world: RegistrationWorld) -> None:
    wrong: list[dict[str, Any]] = [
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": ["private_key_jwt"]},
        {
            "token_endpoint_auth_method": None,
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        },
        {"client_secret": "a secret for everybody"},
        {"client_secret_expires_at": 0},
        {"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}},
        {"jwks": {"keys": [{**jwks()["keys"][0], "d": "AAAA"}]}},
    ]
    for changes in wrong:
        await refused(world, **changes)


class TestTheOidcProfile:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {
            "client_document_hosts": ("rp.sample-bank.example",),
            "registration_profiles": ("oidc",),
        }

    async def push_without_proof(self, world: RegistrationWorld, **changes: str) -> Answer:
        form = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        given = {name: value for name, value in {**form, **changes}.items() if value}
        return await world.form("/par", given)

    async def test_a_public_client_always_has_pkce(self, world: RegistrationWorld) -> None:
        publish(world, token_endpoint_auth_method="none", jwks=None)
        assert (await self.push_without_proof(world)).status == 201
        bare = {"code_challenge": "", "code_challenge_method": ""}
        assert (await self.push_without_proof(world, **bare)).error == "invalid_request"

    async def test_the_default_of_rfc7591_is_never_a_secret(self, world: RegistrationWorld) -> None:
        publish(world, token_endpoint_auth_method=None, jwks=None)
        assert (await self.push_without_proof(world)).status == 201
        publish(world, url=SECOND, token_endpoint_auth_method=None)
        found = await world.built.service.provider.client_documents.client(SECOND)
        assert found.token_endpoint_auth_method == "private_key_jwt"

    async def test_of_several_methods_one_without_a_secret_is_chosen(
        self, world: RegistrationWorld
    ) -> None:
        several = ["client_secret_basic", "private_key_jwt"]
        publish(
            world,
            token_endpoint_auth_method=None,
            token_endpoint_auth_methods_supported=several,
        )
        assert (await push(world)).status == 201

    async def test_for_a_secret_no_document_is_asked(self, world: RegistrationWorld) -> None:
        publish(world)
        form = {"client_id": CLIENT, "client_secret": "x"}
        assert (await world.form("/par", form)).error == "invalid_client"
        assert (await world.form("/par", {}, basic(CLIENT, "x"))).error == "invalid_client"
        assert world.outbound.asked == []


async def test_redirect_uris_are_checked_as_at_registration(world: RegistrationWorld) -> None:
    wrong = {
        "http://rp.sample-bank.example/callback": "https",
        "https://rp.sample-bank.example/*": "wildcard",
        "https://rp.sample-bank.example/#x": "fragment",
        "http://127.0.0.1/callback": "native",
        "javascript:alert(1)": "https",
    }
    for uri, said in wrong.items():
        assert said in await refused(world, redirect_uris=[uri])


async def test_the_policy_of_registration_holds(world: RegistrationWorld) -> None:
    too_much: list[dict[str, Any]] = [
        {"scope": "openid mandate"},
        {"grant_types": ["authorization_code", "refresh_token"]},
        {"grant_types": ["client_credentials"]},
        {"profile": "oidc"},
        {"token_endpoint_auth_method": "none", "jwks": None},
        {"min_acr": "loa1"},
        {"redirect_uris": None},
        {"software_statement": "a.b.c"},
        {"client_name": "x" * 201},
        {"sector_identifier_uri": "https://other.example/sector"},
    ]
    for changes in too_much:
        await refused(world, **changes)


async def test_the_exact_redirect_uri_of_the_document_is_needed(world: RegistrationWorld) -> None:
    publish(world)
    answer = await push(world, redirect_uri=f"{CALLBACK}/other")
    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_cimd_4_what_is_no_document_is_refused(world: RegistrationWorld) -> None:
    honest = json.dumps(document()).encode()
    none: list[tuple[bytes, str]] = [
        (b"<html>", "text/html"),
        (honest, "text/plain"),
        (honest, ""),
        (honest, "application/jsonp"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"\xff", "application/json"),
        (b"", "application/json"),
        (b"[" * 5000, "application/json"),
        (b'{"client_id":"x",' + honest[1:], "application/json"),
    ]
    for body, media_type in none:
        world.outbound.says(CLIENT, body, media_type=media_type)
        answer = await push(world)
        assert (answer.status, answer.error) == (401, "invalid_client"), body
        world.wait(LONGEST_REST)


async def test_cimd_3_other_json_types_are_documents_too(world: RegistrationWorld) -> None:
    world.outbound.says(CLIENT, json.dumps(document()).encode(), media_type="application/cimd+json")
    assert (await push(world)).status == 201


async def test_cimd_8_6_at_most_five_kilobytes_are_read(world: RegistrationWorld) -> None:
    assert "bytes" in await refused(world, padding="x" * 5200)
    world.wait(60)
    publish(world, padding="x" * 4000)
    assert (await push(world)).status == 201


async def test_cimd_4_another_status_or_a_redirect_is_an_error(world: RegistrationWorld) -> None:
    for status in (301, 302, 404, 500):
        world.outbound.documents[CLIENT] = FetchFailed(f"the answer is {status}, not 200")
        answer = await push(world)
        assert (answer.status, answer.error) == (401, "invalid_client")
        assert str(status) in answer.json["error_description"]
        world.wait(60)


async def test_hosts_that_the_operator_did_not_name_are_not_asked(world: RegistrationWorld) -> None:
    others = (
        "https://other.example/client",
        "https://sub.rp.sample-bank.example/client",
        "https://rp.sample-bank.example:8443/client",
        "https://dev.sample-bank.example/client",
        "https://rp.sample-bank.example.evil.example/client",
    )
    for other in others:
        publish(world, url=other)
        assert (await push(world, other)).error == "invalid_client"
    assert world.outbound.asked == []
    with_port = "https://dev.sample-bank.example:8443/client"
    publish(world, url=with_port)
    assert (await push(world, with_port)).status == 201


async def test_at_authorize_what_is_wrong_is_for_the_person(world: RegistrationWorld) -> None:
    answer = await world.form("/authorize", {"client_id": CLIENT, "response_type": "code"})
    assert answer.status == 400
    assert (answer.header("content-type") or "").startswith("text/html")
    assert answer.header("location") is None
    assert b"404" in answer.body
    publish(world)
    world.wait(60)
    answer = await world.form("/authorize", {"client_id": CLIENT, "response_type": "code"})
    assert b"push" in answer.body  # the client is found, and fapi2 must push


async def test_cimd_5_metadata_says_so_where_it_is_on(world: RegistrationWorld) -> None:
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        found = (await world.ask("GET", path)).json
        assert found["client_id_metadata_document_supported"] is True


class TestOff:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {}

    async def test_it_is_off_by_default(self, world: RegistrationWorld) -> None:
        found = (await world.ask("GET", "/.well-known/openid-configuration")).json
        assert "client_id_metadata_document_supported" not in found
        publish(world)
        assert (await push(world)).error == "invalid_client"
        assert world.outbound.asked == []

    async def test_nobody_gets_or_chooses_an_id_that_is_an_address(
        self, world: RegistrationWorld
    ) -> None:
        from corpid.domain.languages import Names

        base = world.built.service.foundation
        wanted = Registration(Names(en="Sample"), profile="oidc", redirect_uris=(CALLBACK,))
        clients = Clients(base.store, base.clock, base.random)
        with pytest.raises(InvalidValue):
            await clients.add(wanted, "operator:test", client_id=CLIENT)
        for _ in range(20):
            made = await clients.add(wanted, "operator:test")
            assert not made.record.client_id.startswith("https://")
        assert not (await world.registered())["client_id"].startswith("https://")
