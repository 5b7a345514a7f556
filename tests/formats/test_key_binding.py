"""Key binding JWTs (RFC 9901, 4.3 and 7.3)."""

from typing import Any

import pytest

from keys import jws
from keys.errors import InvalidSignature, KeysError, UnsupportedAlgorithm, WrongType
from keys.jwk import PublicKey, parse_public
from keys.signer import LocalSigner, generate
from oidc.formats import errors, sd_jwt
from tests.support.sd_jwt_forge import ES256, digest, public

NOW = 1_800_000_000
AUDIENCE = "x509_san_dns:bank.example"
NONCE = "nonce-0123456789"


@pytest.fixture
def key(holder: LocalSigner) -> PublicKey:
    return parse_public(public(holder))


@pytest.fixture
async def presentation(issuer: LocalSigner, holder: LocalSigner) -> str:
    claims = {"vct": "https://id.example/vct/sample", "name": "Sample", "brn": "01234567"}
    text = await sd_jwt.issue(issuer, claims, ["name", "brn"], holder_jwk=public(holder))
    return sd_jwt.present(text, ["brn"])


def check(text: str, key: PublicKey, **changes: Any) -> sd_jwt.KeyBinding:
    arguments: dict[str, Any] = {
        "audience": AUDIENCE,
        "nonce": NONCE,
        "now": NOW,
        "algs": ES256,
        **changes,
    }
    return sd_jwt.verify_key_binding(sd_jwt.parse(text), key, **arguments)


async def forged(
    signer: LocalSigner, presentation: str, typ: str | None = "kb+jwt", **changes: Any
) -> str:
    claims = {"iat": NOW, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest(presentation)}
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not ...}
    return presentation + await jws.sign(signer, claims, typ=typ)


async def test_accepts_what_the_wallet_makes(
    holder: LocalSigner, key: PublicKey, presentation: str
) -> None:
    text = await sd_jwt.key_binding(
        holder, presentation, audience=AUDIENCE, nonce=NONCE, now=NOW, claims={"more": 1}
    )
    found = check(text, key)
    assert found.issued_at == NOW
    assert found.claims["more"] == 1
    assert "kid" not in jws.parse(text.rsplit("~", 1)[1]).header
    assert sd_jwt.holder_key(sd_jwt.unverified_claims(sd_jwt.parse(text))) == key


async def test_rejects_a_missing_key_binding(key: PublicKey, presentation: str) -> None:
    with pytest.raises(errors.KeyBindingMissing):
        check(presentation, key)


@pytest.mark.parametrize("typ", ["JWT", "dpop+jwt", "dc+sd-jwt", None])
async def test_rejects_another_typ(
    holder: LocalSigner, key: PublicKey, presentation: str, typ: str | None
) -> None:
    with pytest.raises(WrongType):
        check(await forged(holder, presentation, typ), key)


async def test_rejects_another_key(key: PublicKey, presentation: str) -> None:
    with pytest.raises(InvalidSignature):
        check(await forged(generate("ES256"), presentation), key)


async def test_rejects_another_algorithm(
    holder: LocalSigner, key: PublicKey, presentation: str
) -> None:
    with pytest.raises(UnsupportedAlgorithm):
        check(await forged(holder, presentation), key, algs=frozenset({"Ed25519"}))


@pytest.mark.parametrize("aud", ["bank.example", "", "https://other.example"])
async def test_rejects_another_audience_prefix_included(
    holder: LocalSigner, key: PublicKey, presentation: str, aud: str
) -> None:
    with pytest.raises(errors.KeyBindingAudience):
        check(await forged(holder, presentation, aud=aud), key)


@pytest.mark.parametrize("aud", [[AUDIENCE], None, 1, ...])
async def test_rejects_an_audience_that_is_not_one_text(
    holder: LocalSigner, key: PublicKey, presentation: str, aud: Any
) -> None:
    with pytest.raises(errors.MalformedKeyBinding):
        check(await forged(holder, presentation, aud=aud), key)


async def test_rejects_another_nonce(
    holder: LocalSigner, key: PublicKey, presentation: str
) -> None:
    with pytest.raises(errors.KeyBindingNonce):
        check(await forged(holder, presentation, nonce="another"), key)


@pytest.mark.parametrize("iat", [NOW - 301, NOW - 31_536_000, NOW + 31, NOW + 31_536_000])
async def test_rejects_an_iat_outside_the_window(
    holder: LocalSigner, key: PublicKey, presentation: str, iat: int
) -> None:
    with pytest.raises(errors.KeyBindingTime):
        check(await forged(holder, presentation, iat=iat), key)


@pytest.mark.parametrize("iat", [NOW - 300, NOW + 30, NOW + 0.5])
async def test_accepts_an_iat_at_the_edges(
    holder: LocalSigner, key: PublicKey, presentation: str, iat: float
) -> None:
    assert check(await forged(holder, presentation, iat=iat), key)


@pytest.mark.parametrize(
    ("name", "value"),
    [("iat", ...), ("iat", True), ("iat", "1"), ("nonce", ...), ("nonce", 1), ("sd_hash", ...)],
)
async def test_rejects_missing_or_mistyped_claims(
    holder: LocalSigner, key: PublicKey, presentation: str, name: str, value: Any
) -> None:
    with pytest.raises(errors.MalformedKeyBinding):
        check(await forged(holder, presentation, **{name: value}), key)


async def test_rejects_a_withdrawn_disclosure(
    holder: LocalSigner, key: PublicKey, presentation: str
) -> None:
    text = await sd_jwt.key_binding(holder, presentation, audience=AUDIENCE, nonce=NONCE, now=NOW)
    first, _, proof = text.split("~")
    with pytest.raises(errors.KeyBindingHash):
        check(f"{first}~{proof}", key)


async def test_rejects_a_hash_over_another_presentation(
    holder: LocalSigner, key: PublicKey, presentation: str
) -> None:
    without_tilde = digest(presentation.removesuffix("~"))
    with pytest.raises(errors.KeyBindingHash):
        check(await forged(holder, presentation, sd_hash=without_tilde), key)


async def test_rejects_claims_that_are_no_object(
    holder: LocalSigner, key: PublicKey, presentation: str
) -> None:
    text = presentation + await jws.sign(holder, b"[1]", typ="kb+jwt")
    with pytest.raises(KeysError):
        check(text, key)


async def test_a_wallet_binds_once_and_only_whole_presentations(
    holder: LocalSigner, presentation: str
) -> None:
    text = await forged(holder, presentation)
    with pytest.raises(errors.KeyBindingUnexpected):
        await sd_jwt.key_binding(holder, text, audience="a", nonce="n", now=NOW)
    with pytest.raises(errors.MissingTilde):
        await sd_jwt.key_binding(
            holder, presentation.removesuffix("~"), audience="a", nonce="n", now=NOW
        )
