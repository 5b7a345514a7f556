"""RFC 9901, 7.1: every reason to reject an SD-JWT, one test each."""

from typing import Any

import pytest

from keys.errors import MalformedJws
from keys.jwk import JwkSet
from keys.signer import LocalSigner
from oidc.formats import errors, sd_jwt
from tests.support.sd_jwt_forge import NOW, VC, check, disclosure, forge, rejects

# The text


def test_rejects_a_jwt_without_any_tilde() -> None:
    with pytest.raises(errors.MissingTilde):
        sd_jwt.parse("a.b.c")


async def test_rejects_a_missing_trailing_tilde(issuer: LocalSigner) -> None:
    text, digest = disclosure("salt", "name", "Sample")
    whole = await forge(issuer, {**VC, "_sd": [digest]}, [text])
    with pytest.raises(errors.MissingTilde):
        sd_jwt.parse(whole.removesuffix("~"))


async def test_rejects_an_empty_disclosure(issuer: LocalSigner) -> None:
    with pytest.raises(errors.MalformedSdJwt):
        sd_jwt.parse(await forge(issuer, VC, [""]))


async def test_rejects_more_bytes_than_the_limit(issuer: LocalSigner) -> None:
    text = await forge(issuer, VC)
    with pytest.raises(errors.SdJwtTooLarge):
        sd_jwt.parse(text, sd_jwt.Limits(max_bytes=len(text) - 1))
    assert sd_jwt.parse(text, sd_jwt.Limits(max_bytes=len(text)))


async def test_rejects_more_disclosures_than_the_limit(issuer: LocalSigner) -> None:
    made = [disclosure("salt", f"c{n}", n) for n in range(3)]
    text = await forge(issuer, {**VC, "_sd": [d for _, d in made]}, [t for t, _ in made])
    with pytest.raises(errors.SdJwtTooLarge):
        sd_jwt.parse(text, sd_jwt.Limits(max_disclosures=2))


async def test_rejects_claims_nested_deeper_than_the_limit(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    deep: Any = "bottom"
    for _ in range(20):
        deep = {"d": deep}
    await rejects(issuer, issuer_keys, errors.SdJwtTooDeep, {"deep": deep})


async def test_rejects_depth_that_is_reached_only_through_disclosures(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    value: Any = "bottom"
    texts = []
    for _ in range(20):
        text, digest = disclosure("salt", "d", value)
        texts.append(text)
        value = {"_sd": [digest]}
    await rejects(issuer, issuer_keys, errors.SdJwtTooDeep, value, *texts)


# Disclosures


@pytest.mark.parametrize("parts", [(), ("salt",), ("salt", "name", 1, 2)])
async def test_rejects_a_disclosure_that_has_not_two_or_three_items(
    issuer: LocalSigner, issuer_keys: JwkSet, parts: tuple[Any, ...]
) -> None:
    text, digest = disclosure(*parts)
    await rejects(issuer, issuer_keys, errors.WrongDisclosureLength, {"_sd": [digest]}, text)


async def test_rejects_two_items_where_a_claim_stands(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text, digest = disclosure("salt", "value")
    await rejects(issuer, issuer_keys, errors.WrongDisclosureLength, {"_sd": [digest]}, text)


async def test_rejects_three_items_where_an_element_stands(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text, digest = disclosure("salt", "name", "value")
    payload = {"list": [{"...": digest}]}
    await rejects(issuer, issuer_keys, errors.WrongDisclosureLength, payload, text)


@pytest.mark.parametrize("text", ["e30", "WzE", "bm90IGpzb24", "W10=", "!!!!", "Zg", "//"])
async def test_rejects_a_disclosure_that_is_not_base64url_of_an_array(
    issuer: LocalSigner, issuer_keys: JwkSet, text: str
) -> None:
    await rejects(issuer, issuer_keys, errors.MalformedDisclosure, {}, text)


async def test_rejects_a_disclosure_in_lenient_base64url(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text, digest = disclosure("salt", "name", "value")
    assert len(text) % 4, "the case needs an encoding that would be padded"
    payload = {"_sd": [digest]}
    await rejects(issuer, issuer_keys, errors.MalformedDisclosure, payload, text + "=")


@pytest.mark.parametrize("parts", [(1, "name", "v"), (None, "v"), ("salt", 7, "v")])
async def test_rejects_a_salt_or_name_that_is_not_text(
    issuer: LocalSigner, issuer_keys: JwkSet, parts: tuple[Any, ...]
) -> None:
    text, digest = disclosure(*parts)
    await rejects(issuer, issuer_keys, errors.MalformedDisclosure, {"_sd": [digest]}, text)


async def test_rejects_a_disclosed_object_that_has_a_member_twice(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    from keys.base64url import encode
    from tests.support.sd_jwt_forge import digest as digest_of

    text = encode(b'["salt","name",{"a":1,"a":2}]')
    payload = {"_sd": [digest_of(text)]}
    await rejects(issuer, issuer_keys, errors.MalformedDisclosure, payload, text)


@pytest.mark.parametrize("name", ["_sd", "..."])
async def test_rejects_a_disclosed_claim_with_a_reserved_name(
    issuer: LocalSigner, issuer_keys: JwkSet, name: str
) -> None:
    text, digest = disclosure("salt", name, ["value"])
    await rejects(issuer, issuer_keys, errors.ReservedClaimName, {"_sd": [digest]}, text)


async def test_rejects_a_disclosed_claim_that_exists_in_clear(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text, digest = disclosure("salt", "name", "other")
    payload = {"name": "Sample", "_sd": [digest]}
    await rejects(issuer, issuer_keys, errors.DuplicateClaimName, payload, text)


async def test_rejects_two_disclosures_of_one_name_at_a_level(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    one, two = disclosure("salt", "name", 1), disclosure("pepper", "name", 2)
    payload = {"_sd": [one[1], two[1]]}
    await rejects(issuer, issuer_keys, errors.DuplicateClaimName, payload, one[0], two[0])


async def test_accepts_one_name_at_two_levels(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    one, two = disclosure("salt", "name", 1), disclosure("pepper", "name", 2)
    payload = {**VC, "_sd": [one[1]], "inner": {"_sd": [two[1]]}}
    claims = check(await forge(issuer, payload, [one[0], two[0]]), issuer_keys)
    assert claims == {**VC, "name": 1, "inner": {"name": 2}}


async def test_rejects_the_same_digest_twice_in_one_place(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text, digest = disclosure("salt", "name", 1)
    payload = {"_sd": [digest, digest]}
    await rejects(issuer, issuer_keys, errors.DuplicateDigest, payload, text)


async def test_rejects_the_same_digest_twice_anywhere_even_undisclosed(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    _, digest = disclosure("salt", "name", 1)
    payload = {"_sd": [digest], "inner": {"list": [{"...": digest}]}}
    await rejects(issuer, issuer_keys, errors.DuplicateDigest, payload)


async def test_rejects_the_same_digest_in_the_payload_and_in_a_disclosure(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    inner, inner_digest = disclosure("salt", "name", 1)
    outer, outer_digest = disclosure("salt", "inner", {"_sd": [inner_digest]})
    payload = {"_sd": [outer_digest, inner_digest]}
    await rejects(issuer, issuer_keys, errors.DuplicateDigest, payload, outer, inner)


async def test_rejects_the_same_disclosure_twice(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    text, digest = disclosure("salt", "name", 1)
    await rejects(issuer, issuer_keys, errors.DuplicateDigest, {"_sd": [digest]}, text, text)


async def test_rejects_an_unreferenced_disclosure(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    text, _ = disclosure("salt", "name", 1)
    await rejects(issuer, issuer_keys, errors.UnreferencedDisclosure, {}, text)


async def test_rejects_a_disclosure_whose_parent_is_withheld(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    inner, inner_digest = disclosure("salt", "name", 1)
    _, outer_digest = disclosure("salt", "inner", {"_sd": [inner_digest]})
    payload = {"_sd": [outer_digest]}
    await rejects(issuer, issuer_keys, errors.UnreferencedDisclosure, payload, inner)


# The payload


@pytest.mark.parametrize("name", ["sha-1", "md5", "SHA-256", "", None, 256, ["sha-256"]])
async def test_rejects_an_unknown_sd_alg(
    issuer: LocalSigner, issuer_keys: JwkSet, name: Any
) -> None:
    await rejects(issuer, issuer_keys, errors.UnknownHashAlgorithm, {"_sd_alg": name})


async def test_rejects_sd_alg_below_the_top_level(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    payload = {"inner": {"_sd_alg": "sha-256"}}
    await rejects(issuer, issuer_keys, errors.MisplacedHashAlgorithm, payload)


async def test_rejects_sd_alg_inside_a_disclosed_object(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text, digest = disclosure("salt", "inner", {"_sd_alg": "sha-256"})
    payload = {"_sd": [digest]}
    await rejects(issuer, issuer_keys, errors.MisplacedHashAlgorithm, payload, text)


async def test_rejects_sd_alg_from_a_disclosure(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    text, digest = disclosure("salt", "_sd_alg", "sha-256")
    payload = {"_sd": [digest]}
    await rejects(issuer, issuer_keys, errors.MisplacedHashAlgorithm, payload, text)


@pytest.mark.parametrize("digests", ["text", {"a": 1}, None, [1], [None], [["x"]]])
async def test_rejects_sd_that_is_not_an_array_of_texts(
    issuer: LocalSigner, issuer_keys: JwkSet, digests: Any
) -> None:
    await rejects(issuer, issuer_keys, errors.MalformedDigest, {"_sd": digests})


@pytest.mark.parametrize("element", [{"...": 1}, {"...": None}, {"...": "d", "more": 1}])
async def test_rejects_an_element_digest_that_is_not_one_text_alone(
    issuer: LocalSigner, issuer_keys: JwkSet, element: Any
) -> None:
    await rejects(issuer, issuer_keys, errors.MalformedDigest, {"list": [element]})


async def test_rejects_an_ellipsis_outside_an_array(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    await rejects(issuer, issuer_keys, errors.ReservedClaimName, {"inner": {"...": "d"}})


async def test_rejects_a_payload_with_a_member_twice(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    from keys import jws

    signed = await jws.sign(issuer, b'{"vct":"a","vct":"b"}', typ="dc+sd-jwt")
    with pytest.raises(MalformedJws):
        check(f"{signed}~", issuer_keys)


PROTECTED = ["iss", "aud", "exp", "nbf", "cnf", "vct", "vct#integrity", "aka_vcts", "status"]


@pytest.mark.parametrize("name", PROTECTED)
async def test_rejects_a_disclosed_claim_that_controls_validity(
    issuer: LocalSigner, issuer_keys: JwkSet, name: str
) -> None:
    text, digest = disclosure("salt", name, NOW + 100)
    payload = {key: value for key, value in VC.items() if key != name} | {"_sd": [digest]}
    whole = await forge(issuer, payload, [text])
    with pytest.raises(errors.ProtectedClaimDisclosed):
        check(whole, issuer_keys)


@pytest.mark.parametrize(
    "payload",
    [
        {"status": {"_sd": ["digest"]}},
        {"status": {"status_list": {"_sd": ["digest"], "idx": 1}}},
        {"cnf": {"jwk": {"_sd": []}}},
        {"aud": [{"...": "digest"}]},
    ],
)
async def test_rejects_hidden_members_of_a_claim_that_controls_validity(
    issuer: LocalSigner, issuer_keys: JwkSet, payload: dict[str, Any]
) -> None:
    await rejects(issuer, issuer_keys, errors.ProtectedClaimDisclosed, payload)
