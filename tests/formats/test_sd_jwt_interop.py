"""The reference implementation and other JWT libraries as independent witnesses, both ways."""

import json
import warnings
from typing import Any

import jwt as pyjwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jose import jws as python_jose
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from keys.jwk import JwkSet
from keys.signer import LocalSigner
from oidc.formats import sd_jwt
from tests.support.sd_jwt_forge import ES256, public

NOW = 1_800_000_000
VCT = "https://id.example/vct/sample"
AUDIENCE, NONCE = "https://bank.example", "nonce-0123456789"
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example",
    "vct": VCT,
    "exp": 4_000_000_000,
    "name": "Sample Kite Trading Limited",
    "name_zh": "樣本風箏貿易有限公司",
    "address": {"street": "1 Sample Street", "city": "Hong Kong"},
    "brands": ["Kite", {"name": "Sample"}],
}
PATHS: list[Any] = ["name", "name_zh", ("address",), ("address", "city"), ("brands", None)]


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the witnesses' own deprecations
        yield


def jwk(signer: LocalSigner) -> JWK:
    return JWK(**signer.private_jwk())


def their_verdict(text: str, issuer: LocalSigner, **binding: str) -> dict[str, Any]:
    public_key = JWK(**public(issuer))
    verifier = SDJWTVerifier(text, lambda *_: public_key, **binding)
    claims: dict[str, Any] = verifier.get_verified_payload()
    return claims


def our_verdict(text: str, keys: JwkSet, typ: str) -> dict[str, Any]:
    return sd_jwt.verify(sd_jwt.parse(text), keys, algs=ES256, typ=typ).claims


async def test_the_reference_verifies_what_we_issue(issuer: LocalSigner) -> None:
    text = await sd_jwt.issue(issuer, CLAIMS, PATHS, decoys=2)
    assert their_verdict(text, issuer) == CLAIMS


async def test_the_reference_verifies_what_we_present_with_key_binding(
    issuer: LocalSigner, holder: LocalSigner
) -> None:
    text = await sd_jwt.issue(issuer, CLAIMS, PATHS, holder_jwk=public(holder))
    shown = sd_jwt.present(text, ["name", ("address", "city")])
    bound = await sd_jwt.key_binding(holder, shown, audience=AUDIENCE, nonce=NONCE, now=NOW)
    claims = their_verdict(bound, issuer, expected_aud=AUDIENCE, expected_nonce=NONCE)
    assert claims["address"] == CLAIMS["address"]
    assert claims["brands"] == []
    assert "name_zh" not in claims


def their_claims() -> dict[Any, Any]:
    return {
        "iss": CLAIMS["iss"],
        "vct": VCT,
        "exp": CLAIMS["exp"],
        SDObj("name"): CLAIMS["name"],
        SDObj("name_zh"): CLAIMS["name_zh"],
        SDObj("address"): {"street": "1 Sample Street", SDObj("city"): "Hong Kong"},
        "brands": [SDObj("Kite"), SDObj({"name": "Sample"})],
    }


def test_we_verify_what_the_reference_issues(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    made = SDJWTIssuer(
        their_claims(),
        jwk(issuer),
        add_decoy_claims=True,
        extra_header_parameters={"typ": "dc+sd-jwt"},
    )
    token = sd_jwt.parse(made.sd_jwt_issuance)
    found = sd_jwt.verify_credential(token, issuer_keys, now=NOW, algs=ES256)
    assert found.claims == CLAIMS


def test_we_verify_what_the_reference_presents(
    issuer: LocalSigner, holder: LocalSigner, issuer_keys: JwkSet
) -> None:
    made = SDJWTIssuer(
        their_claims(),
        jwk(issuer),
        holder_key=jwk(holder),
        extra_header_parameters={"typ": "dc+sd-jwt"},
    )
    wallet = SDJWTHolder(made.sd_jwt_issuance)
    choice = {"name": True, "address": {"city": True}, "brands": [False, True]}
    wallet.create_presentation(choice, NONCE, AUDIENCE, jwk(holder))
    token = sd_jwt.parse(wallet.sd_jwt_presentation)
    found = sd_jwt.verify_credential(token, issuer_keys, now=NOW, algs=ES256)
    assert found.claims["brands"] == [{"name": "Sample"}]
    assert found.claims["address"] == CLAIMS["address"]
    assert "name_zh" not in found.claims
    assert found.holder is not None
    made_at = json.loads(_payload(wallet.sd_jwt_presentation.rsplit("~", 1)[1]))["iat"]
    sd_jwt.verify_key_binding(
        token, found.holder, audience=AUDIENCE, nonce=NONCE, now=made_at, algs=ES256
    )


def test_our_wallet_presents_what_the_reference_issues(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    made = SDJWTIssuer(their_claims(), jwk(issuer), extra_header_parameters={"typ": "dc+sd-jwt"})
    shown = sd_jwt.present(made.sd_jwt_issuance, [("address", "city"), ("brands", 1)])
    assert their_verdict(shown, issuer) == our_verdict(shown, issuer_keys, "dc+sd-jwt")


VALUES = st.recursive(
    st.booleans() | st.integers(-1000, 1000) | st.text('aä風"\\', max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcd", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def paths_in(value: Any, here: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for step, inner in items:
        found.append((*here, step))
        if isinstance(inner, dict | list):
            found += paths_in(inner, (*here, step))
    return found


@settings(max_examples=60, deadline=None)
@given(data=st.data())
async def test_any_claims_hidden_in_any_way_mean_the_same_to_the_reference(
    issuer: LocalSigner, issuer_keys: JwkSet, data: st.DataObject
) -> None:
    claims = data.draw(st.dictionaries(st.text("abcd", min_size=1), VALUES, min_size=1, max_size=4))
    every = paths_in(claims, ())
    hidden = data.draw(st.lists(st.sampled_from(every), unique=True))
    text = await sd_jwt.issue(issuer, claims, hidden, typ="example+sd-jwt")
    assert their_verdict(text, issuer) == claims
    shown = sd_jwt.present(text, data.draw(st.lists(st.sampled_from(every), max_size=2)))
    assert their_verdict(shown, issuer) == our_verdict(shown, issuer_keys, "example+sd-jwt")


async def test_other_libraries_verify_the_issuers_jwt(issuer: LocalSigner) -> None:
    text = (await sd_jwt.issue(issuer, CLAIMS, PATHS)).split("~")[0]
    key = pyjwt.PyJWK.from_dict(dict(issuer.public_jwk))
    claims = pyjwt.decode(text, key, algorithms=["ES256"])
    assert claims["vct"] == VCT
    assert json.loads(python_jose.verify(text, dict(issuer.public_jwk), "ES256")) == claims


def _payload(token: str) -> bytes:
    from keys import jws

    return jws.parse(token).unverified_payload
