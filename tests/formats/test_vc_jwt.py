"""W3C credentials in a JWT (VCDM 2.0, VC-JOSE-COSE), and each reason to refuse one."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import jws
from keys.errors import InvalidSignature, KeysError, UnsupportedAlgorithm, WrongType
from keys.jwk import JwkSet, parse_public, thumbprint
from keys.jwt import parse_claims
from keys.signer import LocalSigner, generate
from oidc.formats import vc_errors as errors
from oidc.formats import vc_jwt
from oidc.formats.errors import FormatsError, HolderKeyMissing, MalformedStatusReference
from oidc.formats.status_reference import StatusReference
from tests.support.sd_jwt_forge import public
from tests.support.vc_forge import ES256, ISSUER, NOW, VC, check, forge, rejects

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "vc.json").read_text("utf-8"))
ENTRY = StatusReference("https://id.example/status/1", 7)


async def issued(issuer: LocalSigner, holder: LocalSigner) -> str:
    return await vc_jwt.issue(
        issuer,
        {"legal_person_name": "Sample Kite Trading Limited"},
        issuer=ISSUER,
        types=["SampleCredential"],
        issued_at=NOW,
        valid_until=NOW + 3600,
        holder_jwk=public(holder),
        status=ENTRY,
    )


async def test_what_we_issue_is_what_the_verifier_reads(
    issuer: LocalSigner, issuer_keys: JwkSet, holder: LocalSigner
) -> None:
    found = check(await issued(issuer, holder), issuer_keys)
    assert found.types == ("SampleCredential",)
    assert found.issuer == ISSUER
    assert found.subjects == ({"legal_person_name": "Sample Kite Trading Limited"},)
    assert found.holder is not None
    assert found.holder.thumbprint == thumbprint(public(holder))
    assert (found.valid_from, found.valid_until) == (NOW, NOW + 3600)
    assert (found.status, found.foreign_status) == (ENTRY, ())


async def test_vc_jose_cose_3_1_1_the_header_says_what_it_is(
    issuer: LocalSigner, holder: LocalSigner
) -> None:
    header = vc_jwt.parse(await issued(issuer, holder)).header
    assert header == {"alg": "ES256", "typ": "vc+jwt", "cty": "vc", "kid": issuer.kid}


async def test_vcdm_4_the_payload_is_the_credential(
    issuer: LocalSigner, holder: LocalSigner
) -> None:
    claims = parse_claims(vc_jwt.parse(await issued(issuer, holder)).unverified_payload)
    assert claims == {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/undefined-terms/v2",
        ],
        "type": ["VerifiableCredential", "SampleCredential"],
        "issuer": ISSUER,
        "validFrom": "2027-01-15T08:00:00Z",
        "validUntil": "2027-01-15T09:00:00Z",
        "credentialSubject": {"legal_person_name": "Sample Kite Trading Limited"},
        "credentialStatus": {
            "id": "https://id.example/status/1#7",
            "type": "TokenStatusList",
            "idx": 7,
            "uri": "https://id.example/status/1",
        },
        "iss": ISSUER,
        "iat": NOW,
        "exp": NOW + 3600,
        "cnf": {"jwk": public(holder)},
        "status": {"status_list": {"idx": 7, "uri": "https://id.example/status/1"}},
    }


@pytest.mark.parametrize("typ", ["JWT", "dc+sd-jwt", "vp+jwt", "vc+sd-jwt", "at+jwt", None])
async def test_rejects_every_typ_but_vc_jwt(
    issuer: LocalSigner, issuer_keys: JwkSet, typ: str | None
) -> None:
    await rejects(issuer, issuer_keys, WrongType, {}, typ=typ)


@pytest.mark.parametrize("cty", ["vp", "JWT", "vc+jwt", ""])
async def test_rejects_another_content_type(
    issuer: LocalSigner, issuer_keys: JwkSet, cty: str
) -> None:
    await rejects(issuer, issuer_keys, errors.WrongContentType, {}, header={"cty": cty})


async def test_content_type_may_be_absent_or_in_full(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    for header in (None, {"cty": "application/vc"}, {"cty": "vc"}):
        assert check(await forge(issuer, {}, header=header), issuer_keys).issuer == ISSUER


async def test_rejects_another_key_and_another_algorithm(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    text = await forge(generate("ES256"), {}, header={"kid": issuer.kid})
    with pytest.raises(InvalidSignature):
        check(text, issuer_keys)
    with pytest.raises(UnsupportedAlgorithm):
        check(await forge(issuer, {}), issuer_keys, algs=frozenset({"ES384"}))


@pytest.mark.parametrize("name", ["vc", "vp"])
async def test_rejects_the_wrapping_of_version_1(
    issuer: LocalSigner, issuer_keys: JwkSet, name: str
) -> None:
    await rejects(issuer, issuer_keys, errors.WrappedCredential, {name: VC})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("@context", {"@context": None}),
        ("@context", {"@context": "https://www.w3.org/ns/credentials/v2"}),
        ("@context", {"@context": ["https://www.w3.org/2018/credentials/v1"]}),
        ("@context", {"@context": ["https://id.example/c", *VC["@context"]]}),
        ("@context", {"@context": [*VC["@context"], 7]}),
        ("type", {"type": None}),
        ("type", {"type": []}),
        ("type", {"type": ["SampleCredential"]}),
        ("type", {"type": ["VerifiableCredential", 7]}),
        ("issuer", {"issuer": None}),
        ("issuer", {"issuer": "no URL"}),
        ("issuer", {"issuer": {"name": "Sample"}}),
        ("issuer", {"issuer": [ISSUER]}),
        ("credentialSubject", {"credentialSubject": None}),
        ("credentialSubject", {"credentialSubject": {}}),
        ("credentialSubject", {"credentialSubject": [{"id": "did:example:1"}, {}]}),
        ("credentialSubject", {"credentialSubject": "text"}),
        ("credentialSubject", {"credentialSubject": {"id": "no URL"}}),
        ("id", {"id": "no URL"}),
        ("id", {"id": ["https://id.example/1"]}),
        ("validFrom", {"validFrom": "2020-01-01"}),
        ("validFrom", {"validFrom": "2020-01-01T00:00:00"}),
        ("validFrom", {"validFrom": 1_500_000_000}),
        ("validUntil", {"validUntil": "2099-02-30T00:00:00Z"}),
        ("validUntil", {"validUntil": "2026-01-01T00:00:00Z", "validFrom": "2026-01-02T00:00:00Z"}),
        ("iat", {"iat": "2020-01-01T00:00:00Z"}),
        ("exp", {"exp": True}),
        ("credentialStatus", {"credentialStatus": {"id": "https://id.example/1"}}),
        ("credentialStatus", {"credentialStatus": "https://id.example/1"}),
        ("credentialSchema", {"credentialSchema": {"type": "JsonSchema"}}),
        ("termsOfUse", {"termsOfUse": [{"id": "https://id.example/1"}]}),
    ],
)
async def test_vcdm_rejects(
    issuer: LocalSigner, issuer_keys: JwkSet, name: str, changes: dict[str, Any]
) -> None:
    error = await rejects(issuer, issuer_keys, errors.InvalidProperty, changes)
    assert isinstance(error, errors.InvalidProperty)
    # `type` is asked of every object; the message names the property that holds it.
    assert error.name in {name, "type"}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("iss", {"iss": "https://another.example"}),
        ("iss", {"iss": "https://another.example", "issuer": {"id": ISSUER}}),
        ("jti", {"jti": "urn:uuid:1", "id": "urn:uuid:2"}),
        ("sub", {"sub": "did:example:1", "credentialSubject": {"id": "did:example:2"}}),
    ],
)
async def test_vc_jose_cose_3_1_3_rejects_claims_that_contradict_properties(
    issuer: LocalSigner, issuer_keys: JwkSet, name: str, changes: dict[str, Any]
) -> None:
    error = await rejects(issuer, issuer_keys, errors.ConflictingClaims, changes)
    assert getattr(error, "name", None) == name


@pytest.mark.parametrize("changes", [{"validUntil": "2027-01-15T07:59:49Z"}, {"exp": NOW - 11}])
async def test_rejects_an_expired_credential(
    issuer: LocalSigner, issuer_keys: JwkSet, changes: dict[str, Any]
) -> None:
    await rejects(issuer, issuer_keys, errors.VcExpired, changes)


@pytest.mark.parametrize(
    "changes", [{"validFrom": "2027-01-15T08:00:11Z"}, {"nbf": NOW + 11}, {"iat": NOW + 11}]
)
async def test_rejects_a_credential_of_the_future(
    issuer: LocalSigner, issuer_keys: JwkSet, changes: dict[str, Any]
) -> None:
    await rejects(issuer, issuer_keys, errors.VcNotYetValid, changes)


@pytest.mark.parametrize("cnf", [{}, {"jwk": 1}, "x", {"kid": "k"}])
async def test_rejects_an_unusable_holder_key(
    issuer: LocalSigner, issuer_keys: JwkSet, cnf: Any
) -> None:
    await rejects(issuer, issuer_keys, HolderKeyMissing, {"cnf": cnf})


async def test_rejects_two_statuses_that_differ(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    status = {"status_list": {"idx": 1, "uri": "https://id.example/s"}}
    other = {"type": "TokenStatusList", "idx": 2, "uri": "https://id.example/s"}
    for changes in (
        {"status": status, "credentialStatus": other},
        {"credentialStatus": [other, {**other, "idx": 3}]},
        {"credentialStatus": {"type": "TokenStatusList"}},
        {"status": "x"},
    ):
        await rejects(issuer, issuer_keys, MalformedStatusReference, changes)


async def test_a_status_of_another_kind_is_named_and_not_passed_over(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://id.example/status/3",
    }
    found = check(await forge(issuer, {"credentialStatus": entry}), issuer_keys)
    assert (found.status, found.foreign_status) == (None, ("BitstringStatusListEntry",))


async def test_rejects_nesting_without_end(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    deep: Any = "end"
    for _ in range(30):
        deep = [deep]
    await rejects(issuer, issuer_keys, errors.VcTooDeep, {"credentialSubject": {"name": deep}})


def test_w3c_vc_jose_cose_vectors() -> None:
    vectors = VECTORS["vc_jose_cose"]
    key = parse_public(vectors["jwk"])
    minimal = vc_jwt.parse(vectors["credential-jose-minimal"])
    assert jws.verify(minimal, key, algs=ES256, typ="vc+jwt")
    # Its `iat` is text, which no JWT has (RFC 7519, 4.1.6).
    with pytest.raises(errors.InvalidProperty, match="iat"):
        vc_jwt.verify(minimal, key, now=NOW, algs=ES256)
    wrapped = vc_jwt.parse(vectors["credential-jose-vc-vp-claims"])
    with pytest.raises(errors.WrappedCredential):
        vc_jwt.read_claims(wrapped.unverified_payload)
    other = vc_jwt.parse(vectors["credential-jose-bad-media-type"])
    with pytest.raises(WrongType):
        jws.check_typ(other.header, "vc+jwt")


@pytest.mark.parametrize("case", VECTORS["vcdm"]["cases"], ids=lambda case: case["name"])
async def test_w3c_vcdm_vectors(
    issuer: LocalSigner, issuer_keys: JwkSet, case: dict[str, Any]
) -> None:
    text = await jws.sign(issuer, case["document"], typ="vc+jwt")
    try:
        check(text, issuer_keys)
    except (errors.VcExpired, errors.VcNotYetValid):
        outcome = "ok"  # well formed; the suite does not ask what time it is
    except FormatsError:
        outcome = "fail"
    else:
        outcome = "ok"
    assert ("fail" in case["name"]) == (outcome == "fail")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "jwk", "status_list"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from([*VC, "cnf", "status", "credentialStatus", "validFrom", "exp"]), ODD)
async def test_no_error_but_our_own_whatever_an_issuer_signs(
    issuer: LocalSigner, issuer_keys: JwkSet, name: str, value: Any
) -> None:
    text = await jws.sign(issuer, {**VC, name: value}, typ="vc+jwt")
    with contextlib.suppress(FormatsError, KeysError):
        check(text, issuer_keys)


@given(st.text(max_size=80))
def test_no_error_but_our_own_for_any_text(issuer_keys: JwkSet, text: str) -> None:
    with contextlib.suppress(FormatsError, KeysError):
        check(text, issuer_keys)
