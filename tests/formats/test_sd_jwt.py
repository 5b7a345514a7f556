"""Issuing, presenting and verifying SD-JWTs (RFC 9901)."""

import json
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys import base64url
from keys.errors import KeysError
from keys.jwk import JwkSet
from keys.signer import LocalSigner, generate
from oidc.formats import errors, sd_jwt
from tests.support.sd_jwt_forge import ES256, digest, forge, public

NOW = 1_800_000_000
VCT = "https://id.example/vct/sample"
VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "sd_jwt_disclosures.json").read_text("utf-8")
)
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example",
    "vct": VCT,
    "exp": NOW + 1000,
    "legal_person_name": "Sample Kite Trading Limited",
    "address": {"street": "1 Sample Street", "city": "Hong Kong", "lines": ["a", "b"]},
    "brands": ["Kite", "Sample", {"name": "風箏", "since": 2001}],
}
FRAME = sd_jwt.Disclosable(
    [
        "legal_person_name",
        ("address",),
        ("address", "street"),
        ("brands", None),
        ("brands", 2, "since"),
    ]
)


def verified(text: str, keys: JwkSet) -> dict[str, Any]:
    return sd_jwt.verify_credential(sd_jwt.parse(text), keys, now=NOW, algs=ES256).claims


@pytest.mark.parametrize("vector", VECTORS["disclosures"])
async def test_rfc9901_4_2_disclosures_and_their_digests(
    issuer: LocalSigner, issuer_keys: JwkSet, vector: dict[str, Any]
) -> None:
    assert digest(vector["text"]) == vector["digest"]
    if vector["name"] is None:
        payload: dict[str, Any] = {"vct": VCT, "list": [{"...": vector["digest"]}]}
        expected: dict[str, Any] = {"list": [vector["value"]]}
    else:
        payload = {"vct": VCT, "_sd": [vector["digest"]]}
        expected = {vector["name"]: vector["value"]}
    text = await forge(issuer, payload, [vector["text"]])
    assert verified(text, issuer_keys) == {"vct": VCT, **expected}


@pytest.mark.parametrize("other", VECTORS["same_claim_other_text"])
async def test_rfc9901_4_2_1_json_may_be_written_in_other_ways(
    issuer: LocalSigner, issuer_keys: JwkSet, other: str
) -> None:
    text = await forge(issuer, {"vct": VCT, "_sd": [digest(other)]}, [other])
    assert verified(text, issuer_keys)["family_name"] == "Möbius"


async def test_all_disclosures_restore_the_claims(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    text = await sd_jwt.issue(issuer, CLAIMS, FRAME)
    assert verified(text, issuer_keys) == CLAIMS


async def test_without_disclosures_hidden_claims_and_elements_disappear(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text = sd_jwt.present(await sd_jwt.issue(issuer, CLAIMS, FRAME), [])
    assert verified(text, issuer_keys) == {
        "iss": CLAIMS["iss"],
        "vct": VCT,
        "exp": NOW + 1000,
        "brands": [],
    }


async def test_present_brings_parents_and_children_of_what_is_chosen(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text = await sd_jwt.issue(issuer, CLAIMS, FRAME)
    shown = verified(sd_jwt.present(text, [("address", "city"), ("brands", 2)]), issuer_keys)
    assert shown["address"] == {"city": "Hong Kong", "lines": ["a", "b"]}
    assert shown["brands"] == [{"name": "風箏", "since": 2001}]
    assert "legal_person_name" not in shown
    shown = verified(sd_jwt.present(text, ["address", ("brands", None, "name")]), issuer_keys)
    assert shown["address"] == CLAIMS["address"]


async def test_present_needs_no_disclosure_for_an_open_claim(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text = await sd_jwt.issue(issuer, CLAIMS, FRAME)
    assert sd_jwt.present(text, ["vct", ("brands", None)]).count("~") == 5


@pytest.mark.parametrize(
    "path", ["none", ("address", "none"), ("brands", 9), ("vct", "x"), ("vct", 0)]
)
async def test_present_refuses_a_path_to_nothing(issuer: LocalSigner, path: Any) -> None:
    text = await sd_jwt.issue(issuer, CLAIMS, FRAME)
    with pytest.raises(errors.UnknownDisclosure):
        sd_jwt.present(text, [path])


async def test_present_refuses_a_presentation(issuer: LocalSigner, holder: LocalSigner) -> None:
    text = await sd_jwt.issue(issuer, CLAIMS, FRAME, holder_jwk=public(holder))
    bound = await sd_jwt.key_binding(holder, text, audience="a", nonce="n", now=NOW)
    with pytest.raises(errors.KeyBindingUnexpected):
        sd_jwt.present(bound, [])


async def test_salts_have_128_bits_and_are_fresh(issuer: LocalSigner) -> None:
    drawn = b""

    def random(count: int) -> bytes:
        nonlocal drawn
        fresh = secrets.token_bytes(count)
        drawn += fresh
        return fresh

    claims = {"vct": VCT, **{f"claim_{n}": n for n in range(100)}}
    frame = sd_jwt.Disclosable([f"claim_{n}" for n in range(100)])
    text = await sd_jwt.issue(issuer, claims, frame, random=random)
    made = sd_jwt.parse(text).disclosures
    salts = [base64url.decode(json.loads(base64url.decode(one.text))[0]) for one in made]
    assert min(map(len, salts)) * 8 >= 128
    # Each random byte goes into one salt: none is told by another, none is used again.
    assert drawn.startswith(b"".join(salts))


async def test_digests_are_sorted_so_that_their_order_says_nothing(issuer: LocalSigner) -> None:
    claims = {"vct": VCT, **{f"claim_{n}": n for n in range(10)}}
    frame = sd_jwt.Disclosable([f"claim_{n}" for n in range(10)])
    payload = sd_jwt.parse(await sd_jwt.issue(issuer, claims, frame)).unverified_payload
    assert payload["_sd"] == sorted(payload["_sd"])
    assert payload["_sd_alg"] == "sha-256"


async def test_decoys_hide_the_number_of_claims_and_elements(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text = await sd_jwt.issue(issuer, CLAIMS, FRAME, decoys=4)
    payload = sd_jwt.parse(text).unverified_payload
    assert len(payload["_sd"]) == 2 + 4
    assert len(payload["brands"]) == 3 + 4
    assert verified(text, issuer_keys) == CLAIMS
    bare = await sd_jwt.issue(issuer, {"vct": VCT}, decoys=3)
    assert len(sd_jwt.parse(bare).unverified_payload["_sd"]) == 3
    assert verified(bare, issuer_keys) == {"vct": VCT}


async def test_a_path_to_a_claim_that_is_absent_is_no_fault(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text = await sd_jwt.issue(issuer, {"vct": VCT}, ["nickname", ("address", "city")])
    assert verified(text, issuer_keys) == {"vct": VCT}


@pytest.mark.parametrize("path", [("vct2", "x"), ("list", "x"), ("object", 0), ("object", None)])
async def test_issue_refuses_a_path_that_does_not_fit(issuer: LocalSigner, path: Any) -> None:
    claims = {"vct": VCT, "vct2": "text", "list": [1], "object": {"a": 1}}
    with pytest.raises(errors.FrameMismatch):
        await sd_jwt.issue(issuer, claims, [path])


@pytest.mark.parametrize("path", [(), ("a", -1), ("a", True), ("a", 1.5)])
def test_a_path_is_made_of_texts_indices_and_none(path: Any) -> None:
    with pytest.raises(ValueError, match=r"claim path|index"):
        sd_jwt.Disclosable([path])


@pytest.mark.parametrize("name", sorted(sd_jwt.PROTECTED_IN_CREDENTIAL))
async def test_issue_refuses_to_hide_what_controls_validity(issuer: LocalSigner, name: str) -> None:
    for path in ((name,), (name, "member")):
        with pytest.raises(errors.ProtectedClaimDisclosed):
            await sd_jwt.issue(issuer, {"vct": VCT}, [path])


@pytest.mark.parametrize("name", ["_sd", "...", "_sd_alg"])
async def test_issue_refuses_reserved_names_at_any_depth(issuer: LocalSigner, name: str) -> None:
    for claims in ({name: 1}, {"a": {name: 1}}, {"a": [{name: 1}]}, {"h": {name: 1}}):
        with pytest.raises(errors.ReservedClaimName):
            await sd_jwt.issue(issuer, {"vct": VCT, **claims}, ["h"])


async def test_issue_refuses_a_private_holder_key(issuer: LocalSigner) -> None:
    with pytest.raises(errors.HolderKeyMissing):
        await sd_jwt.issue(issuer, {"vct": VCT}, holder_jwk=generate("ES256").private_jwk())


async def test_issue_refuses_a_credential_without_type_or_with_broken_times(
    issuer: LocalSigner,
) -> None:
    with pytest.raises(errors.MissingType):
        await sd_jwt.issue(issuer, {"iss": "x"})
    with pytest.raises(errors.InvalidCredentialClaim):
        await sd_jwt.issue(issuer, {"vct": VCT, "exp": "soon"})


async def test_header_extras_and_other_types_are_possible(issuer: LocalSigner) -> None:
    text = await sd_jwt.issue(issuer, {"a": 1}, ["a"], typ="example+sd-jwt", header={"x5c": ["c"]})
    header = sd_jwt.parse(text).jwt.header
    assert header["typ"] == "example+sd-jwt"
    assert header["x5c"] == ["c"]


@pytest.mark.parametrize("name", ["sha-256", "sha-384", "sha-512"])
async def test_known_hash_algorithms_are_understood(
    issuer: LocalSigner, issuer_keys: JwkSet, name: str
) -> None:
    import hashlib

    from keys.base64url import encode
    from tests.support.sd_jwt_forge import disclosure

    text, _ = disclosure("salt", "name", "Sample")
    hashed = encode(hashlib.new(name.replace("-", ""), text.encode()).digest())
    whole = await forge(issuer, {"vct": VCT, "_sd_alg": name, "_sd": [hashed]}, [text])
    assert verified(whole, issuer_keys) == {"vct": VCT, "name": "Sample"}


async def test_application_prefix_and_case_of_typ_do_not_matter(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text = await forge(issuer, {"vct": VCT}, typ="application/DC+SD-JWT")
    assert verified(text, issuer_keys) == {"vct": VCT}


async def test_verified_credential_states_times_holder_and_status(
    issuer: LocalSigner, issuer_keys: JwkSet, holder: LocalSigner
) -> None:
    status = {"status_list": {"idx": 7, "uri": "https://status.example/1"}}
    claims = {**CLAIMS, "nbf": NOW - 5, "status": status}
    text = await sd_jwt.issue(issuer, claims, FRAME, holder_jwk=public(holder))
    found = sd_jwt.verify_credential(sd_jwt.parse(text), issuer_keys, now=NOW, algs=ES256)
    assert (found.vct, found.issuer) == (VCT, "https://id.example")
    assert (found.not_before, found.expires_at) == (NOW - 5, NOW + 1000)
    assert found.holder is not None
    assert found.holder.thumbprint == holder.kid
    assert found.status is not None
    assert found.status.claim() == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=6).filter(lambda s: s not in MECHANISM), inner, max_size=4
        )
    ),
    max_leaves=12,
)
MECHANISM = {"_sd", "...", "_sd_alg"}


def paths_in(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here] if here else []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in items:
        below = (*here, step)
        found += paths_in(inner, below) if isinstance(inner, dict | list) else [below]
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
async def test_any_claims_and_any_frame_come_back_whole(
    issuer: LocalSigner, issuer_keys: JwkSet, data: st.DataObject
) -> None:
    names = st.text(max_size=6).filter(
        lambda s: s not in MECHANISM and s not in sd_jwt.PROTECTED_IN_CREDENTIAL and s != "iat"
    )
    claims = data.draw(st.dictionaries(names, JSON, max_size=5))
    every = paths_in(claims)
    chosen = data.draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    whole = {"vct": VCT, **claims}
    decoys = data.draw(st.integers(0, 2))
    text = await sd_jwt.issue(issuer, whole, chosen, decoys=decoys)
    token = sd_jwt.parse(text)
    assert len(token.disclosures) == len(chosen)
    assert verified(text, issuer_keys) == whole
    assert sorted(map(repr, (one.path for one in sd_jwt.locate(token)))) == sorted(
        map(repr, chosen)
    )
    verified(
        sd_jwt.present(text, data.draw(st.lists(st.sampled_from(every))) if every else []),
        issuer_keys,
    )


OURS = (KeysError, errors.FormatsError)


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text("abcWyJ0.~-_=").map(lambda s: s + "~"))
def test_arbitrary_text_raises_only_our_errors(issuer_keys: JwkSet, text: str) -> None:
    with pytest.raises(OURS):
        verified(text, issuer_keys)


@settings(max_examples=200, deadline=None)
@given(payload=JSON, parts=st.lists(st.lists(JSON, max_size=4), max_size=3), data=st.data())
async def test_arbitrary_signed_content_raises_only_our_errors(
    issuer: LocalSigner, issuer_keys: JwkSet, payload: Any, parts: list[Any], data: st.DataObject
) -> None:
    from tests.support.sd_jwt_forge import disclosure

    made = [disclosure(*one) for one in parts]
    body = payload if isinstance(payload, dict) else {"value": payload}
    body = {**body, "vct": VCT}
    if data.draw(st.booleans()):
        body["_sd"] = [one for _, one in made]
    else:
        body["list"] = [{"...": one} for _, one in made]
    text = await forge(issuer, body, [one for one, _ in made])
    with suppress(OURS):
        verified(text, issuer_keys)
