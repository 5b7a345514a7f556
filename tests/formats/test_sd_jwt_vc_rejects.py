"""SD-JWT VC, 2.2: every reason to reject a credential beyond the SD-JWT rules, one test each."""

from typing import Any

import pytest

from keys.errors import InvalidSignature, KeysError, UnknownKey, UnsupportedAlgorithm, WrongType
from keys.jwk import JwkSet
from keys.signer import LocalSigner, generate
from oidc.formats import errors
from tests.support.sd_jwt_forge import NOW, VC, check, forge, rejects


@pytest.mark.parametrize("typ", ["vc+sd-jwt", "sd-jwt", "JWT", "kb+jwt", None])
async def test_rejects_every_typ_but_dc_sd_jwt(
    issuer: LocalSigner, issuer_keys: JwkSet, typ: str | None
) -> None:
    await rejects(issuer, issuer_keys, WrongType, {}, typ=typ)


async def test_rejects_a_missing_vct(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    for vct in ("", 7, None):
        await rejects(issuer, issuer_keys, errors.MissingType, {"vct": vct})
    with pytest.raises(errors.MissingType):
        check(await forge(issuer, {"iss": "https://id.example"}), issuer_keys)


async def test_rejects_an_expired_credential(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    await rejects(issuer, issuer_keys, errors.CredentialExpired, {"exp": NOW - 11})


@pytest.mark.parametrize("name", ["nbf", "iat"])
async def test_rejects_a_credential_of_the_future(
    issuer: LocalSigner, issuer_keys: JwkSet, name: str
) -> None:
    await rejects(issuer, issuer_keys, errors.CredentialNotYetValid, {name: NOW + 11})


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [True, "1", None, [1]])
async def test_rejects_times_that_are_not_numbers(
    issuer: LocalSigner, issuer_keys: JwkSet, name: str, value: Any
) -> None:
    await rejects(issuer, issuer_keys, errors.InvalidCredentialClaim, {name: value})


@pytest.mark.parametrize("aliases", [[], "x", [1], [VC["vct"]], None])
async def test_rejects_wrong_aliases_of_the_type(
    issuer: LocalSigner, issuer_keys: JwkSet, aliases: Any
) -> None:
    await rejects(issuer, issuer_keys, errors.InvalidCredentialClaim, {"aka_vcts": aliases})


async def test_rejects_an_issuer_that_is_not_text(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    await rejects(issuer, issuer_keys, errors.InvalidCredentialClaim, {"iss": 1})


@pytest.mark.parametrize(
    "status",
    [
        "x",
        {"status_list": 1},
        {"status_list": {"idx": -1, "uri": "u"}},
        {"status_list": {"idx": True, "uri": "u"}},
        {"status_list": {"idx": "1", "uri": "u"}},
        {"status_list": {"idx": 1}},
        {"status_list": {"idx": 1, "uri": ""}},
    ],
)
async def test_rejects_a_malformed_status_reference(
    issuer: LocalSigner, issuer_keys: JwkSet, status: Any
) -> None:
    await rejects(issuer, issuer_keys, errors.MalformedStatusReference, {"status": status})


@pytest.mark.parametrize("cnf", [{}, {"jwk": 1}, {"jwk": {}}, "x", {"kid": "k"}])
async def test_rejects_an_unusable_holder_key(
    issuer: LocalSigner, issuer_keys: JwkSet, cnf: Any
) -> None:
    await rejects(issuer, issuer_keys, errors.HolderKeyMissing, {"cnf": cnf})


async def test_rejects_a_private_holder_key(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    payload = {"cnf": {"jwk": generate("ES256").private_jwk()}}
    await rejects(issuer, issuer_keys, errors.HolderKeyMissing, payload)


async def test_rejects_a_signature_of_another_key(issuer_keys: JwkSet) -> None:
    stranger = generate("ES256")
    await rejects(stranger, issuer_keys, UnknownKey, {})
    kid = {"kid": issuer_keys.keys[0].kid}
    await rejects(stranger, issuer_keys, InvalidSignature, {}, header=kid)


async def test_rejects_algorithms_that_are_not_accepted(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text = await forge(issuer, VC)
    with pytest.raises(UnsupportedAlgorithm):
        check(text, issuer_keys, algs=frozenset({"Ed25519"}))
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiZGMrc2Qtand0In0." + text.split(".")[1] + ".~"
    with pytest.raises(KeysError):
        check(unsigned, issuer_keys)


async def test_rejects_a_changed_payload(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    one, two = await forge(issuer, VC), await forge(issuer, {**VC, "name": "Sample"})
    parts, other = one.split("."), two.split(".")
    with pytest.raises(InvalidSignature):
        check(".".join((parts[0], other[1], parts[2])), issuer_keys)
