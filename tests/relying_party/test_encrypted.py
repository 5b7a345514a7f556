"""Encrypted messages (OpenID Connect Core, 10.2): opened with our key, then verified as always."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from corpid.relying_party import Kind, Policy, RelyingParty, VerifiedIdToken, errors, recognise
from keys import jwe
from keys.jwk import parse_public
from keys.signer import LocalSigner, generate
from tests.support.relying_world import CLIENT, NONCE, RESOURCE, STATE, World

KEY = generate("ES256")
Read = Callable[[RelyingParty, str], Awaitable[object]]


def private(signer: LocalSigner = KEY, **changes: Any) -> dict[str, Any]:
    kept = {name: value for name, value in signer.private_jwk().items() if name != "alg"}
    return {**kept, "use": "enc", **changes}


def encrypted(signed: str, signer: LocalSigner = KEY, alg: str = "ECDH-ES+A256KW") -> str:
    public = {name: signer.public_jwk[name] for name in ("kty", "crv", "x", "y", "kid")}
    return jwe.encrypt(signed, parse_public(public), alg=alg, enc="A256GCM")


def able(world: World, *kinds: str) -> RelyingParty:
    policy = Policy(require_encryption=frozenset(kinds))
    return world.party(decryption_keys=private(), policy=policy)


async def read_id_token(party: RelyingParty, text: str) -> object:
    return await party.verify_id_token(text, nonce=NONCE)


async def read_userinfo(party: RelyingParty, text: str) -> object:
    who = VerifiedIdToken(
        party.issuer, "org-pairwise-1", None, None, None, (), None, (), None, None, 0, {}
    )
    return await party.verify_userinfo(text, signed_in=who)


async def read_response(party: RelyingParty, text: str) -> object:
    return await party.verify_authorization_response(text, state=STATE)


async def read_introspection(party: RelyingParty, text: str) -> object:
    return await party.verify_introspection(text, access_token="opaque")


async def read_logout_token(party: RelyingParty, text: str) -> object:
    return await party.verify_logout_token(text)


async def made(world: World, kind: str) -> str:
    match kind:
        case "id_token":
            return await world.id_token()
        case "userinfo":
            return await world.userinfo(act=...)
        case "authorization_response":
            return await world.authorization_response()
        case "introspection":
            return await world.introspection()
        case _:
            return await world.logout_token()


READERS: dict[str, Read] = {
    "id_token": read_id_token,
    "userinfo": read_userinfo,
    "authorization_response": read_response,
    "introspection": read_introspection,
    "logout_token": read_logout_token,
}
each = pytest.mark.parametrize("kind", READERS)


@each
async def test_what_is_encrypted_to_us_is_opened_and_verified(world: World, kind: str) -> None:
    assert await READERS[kind](able(world), encrypted(await made(world, kind)))


@each
async def test_what_is_inside_is_verified(world: World, kind: str) -> None:
    world.token_key = generate("ES256")  # not the one that is published
    with pytest.raises(errors.KeyUnknown):
        await READERS[kind](able(world), encrypted(await made(world, kind)))


@each
async def test_core_3_1_3_7_what_must_be_encrypted_and_is_not_is_refused(
    world: World, kind: str
) -> None:
    signed = await made(world, kind)
    party = able(world, kind)
    with pytest.raises(errors.NotEncrypted):
        await READERS[kind](party, signed)
    assert await READERS[kind](party, encrypted(signed))


@each
async def test_without_a_key_or_with_another_it_cannot_be_read(world: World, kind: str) -> None:
    compact = encrypted(await made(world, kind))
    for keys in (None, private(generate("ES256")), private(KEY, alg="ECDH-ES")):
        with pytest.raises(errors.DecryptionFailed) as caught:
            await READERS[kind](world.party(decryption_keys=keys), compact)
        assert isinstance(caught.value, errors.VerificationFailed)


async def test_a_message_inside_two_envelopes_is_refused(world: World) -> None:
    twice = encrypted(encrypted(await world.id_token()))
    with pytest.raises(errors.TokenMalformed):
        await read_id_token(able(world), twice)


async def test_an_access_token_never_comes_encrypted(world: World) -> None:
    with pytest.raises(errors.TokenMalformed):
        await able(world).verify_access_token(encrypted(await world.access_token()))


async def test_other_algorithms_and_broken_envelopes_have_their_errors(world: World) -> None:
    compact = encrypted(await world.id_token())
    with pytest.raises(errors.TokenMalformed):
        await read_id_token(able(world), "a.b.c.d.e")
    with pytest.raises(errors.DecryptionFailed):
        await read_id_token(able(world), compact[:-2] + "AA")
    head = "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4R0NNIiwiY3R5IjoiSldUIn0"  # RSA1_5
    with pytest.raises(errors.AlgorithmRefused):
        await read_id_token(able(world), head + compact[compact.index(".") :])


async def test_it_is_recognised_by_what_is_inside(world: World) -> None:
    party = able(world)
    for kind in READERS:
        compact = encrypted(await made(world, kind))
        with pytest.raises(errors.NotRecognised):
            recognise(compact)
        assert recognise(party.opened(compact)) == Kind(kind)
        assert await party.verify_any(compact, client_id=CLIENT, audience=RESOURCE)


def test_a_kind_of_message_that_there_is_not_is_said_at_once(world: World) -> None:
    with pytest.raises(ValueError, match="id-token"):
        able(world, "id-token", "userinfo")


def test_what_is_no_private_key_is_said_at_once(world: World) -> None:
    for keys in ({}, {"keys": []}, dict(KEY.public_jwk), private(KEY, use="sig")):
        with pytest.raises(ValueError, match="decryption_keys"):
            world.party(decryption_keys=keys)
    assert world.party(decryption_keys={"keys": [private(), private(generate("RS256"))]})
