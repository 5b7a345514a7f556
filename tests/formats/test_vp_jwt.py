"""Presentations of W3C credentials in a JWT, and each reason to refuse one."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import jws
from keys.errors import InvalidSignature, KeysError, WrongType
from keys.jwk import parse_public
from keys.signer import LocalSigner, generate
from oidc.formats import vc_errors as errors
from oidc.formats import vp_jwt
from oidc.formats.errors import FormatsError
from tests.support.vc_forge import ES256, NOW, forge

AUDIENCE, NONCE = "x509_san_dns:bank.example", "nonce-0123456789"


async def presented(holder: LocalSigner, *credentials: str) -> str:
    return await vp_jwt.present(
        holder, credentials or ["a.b.c"], audience=AUDIENCE, nonce=NONCE, now=NOW
    )


def check(text: str, holder: LocalSigner, **changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "audience": AUDIENCE,
        "nonce": NONCE,
        "now": NOW,
        "algs": ES256,
        **changes,
    }
    key = parse_public(holder.public_jwk)
    return vp_jwt.verify_holder(vp_jwt.parse(text), key, **arguments)


async def signed(holder: LocalSigner, typ: str | None = "vp+jwt", **changes: Any) -> str:
    """A presentation with these claims instead; None takes one away."""
    claims = dict(vp_jwt.parse(await presented(holder)).unverified_claims)
    kept = {name: one for name, one in {**claims, **changes}.items() if one is not None}
    return await jws.sign(holder, kept, typ=typ)


async def test_a_presentation_holds_its_credentials(
    issuer: LocalSigner, holder: LocalSigner
) -> None:
    credential = await forge(issuer, {})
    text = await presented(holder, credential)
    assert vp_jwt.parse(text).credentials == (credential,)
    assert check(text, holder)["nonce"] == NONCE
    header = vp_jwt.parse(text).jwt.header
    assert header == {"alg": "ES256", "typ": "vp+jwt", "cty": "vp"}


async def test_rejects_another_holder(holder: LocalSigner) -> None:
    with pytest.raises(InvalidSignature):
        check(await presented(holder), generate("ES256"))


@pytest.mark.parametrize("typ", ["JWT", "vc+jwt", "kb+jwt", None])
async def test_rejects_every_typ_but_vp_jwt(holder: LocalSigner, typ: str | None) -> None:
    with pytest.raises(WrongType):
        check(await signed(holder, typ), holder)


async def test_rejects_another_request(holder: LocalSigner) -> None:
    text = await presented(holder)
    with pytest.raises(errors.PresentationAudience):
        check(text, holder, audience="bank.example")
    with pytest.raises(errors.PresentationNonce):
        check(text, holder, nonce="another")
    with pytest.raises(errors.PresentationTime):
        check(text, holder, now=NOW + 301)
    with pytest.raises(errors.PresentationTime):
        check(text, holder, now=NOW - 31)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE]},
        {"aud": None},
        {"nonce": None},
        {"nonce": 7},
        {"iat": None},
        {"iat": "1"},
    ],
)
async def test_rejects_a_presentation_that_is_tied_to_no_request(
    holder: LocalSigner, changes: dict[str, Any]
) -> None:
    with pytest.raises(errors.MalformedPresentation):
        check(await signed(holder, **changes), holder)


ENVELOPED = {
    "@context": "https://www.w3.org/ns/credentials/v2",
    "type": "EnvelopedVerifiableCredential",
    "id": "data:application/vc+jwt,a.b.c",
}


@pytest.mark.parametrize(
    "changes",
    [
        {"type": None},
        {"type": "VerifiableCredential"},
        {"@context": None},
        {"@context": ["https://www.w3.org/2018/credentials/v1"]},
        {"verifiableCredential": None},
        {"verifiableCredential": []},
        {"verifiableCredential": ["a.b.c"]},
        {"verifiableCredential": [{**ENVELOPED, "type": "VerifiableCredential"}]},
        {"verifiableCredential": [{**ENVELOPED, "id": "not-a-credential"}]},
        {"verifiableCredential": [{**ENVELOPED, "id": "data:application/vc+sd-jwt,a.b.c~"}]},
        {"verifiableCredential": [ENVELOPED] * 17},
    ],
)
async def test_rejects_what_envelopes_no_credential(
    holder: LocalSigner, changes: dict[str, Any]
) -> None:
    text = await signed(holder, **changes)
    with pytest.raises(errors.MalformedPresentation):
        vp_jwt.parse(text)


@given(st.text(max_size=80))
def test_no_error_but_our_own_for_any_text(text: str) -> None:
    with contextlib.suppress(FormatsError, KeysError):
        vp_jwt.parse(text)
