import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keys import base64url
from keys.errors import InvalidSignature, MalformedKey, UnsupportedAlgorithm, UnsupportedKey
from keys.jwk import parse_public, required_members, thumbprint
from keys.signer import LocalSigner, Signer, generate

ALGS = ["ES256", "ES384", "Ed25519", "EdDSA", "RS256", "PS256"]
SIGNERS = {alg: generate(alg) for alg in ALGS}


@pytest.mark.parametrize("alg", ALGS)
async def test_a_generated_key_signs_and_its_public_jwk_verifies(alg):
    signer: Signer = SIGNERS[alg]
    assert signer.kid == thumbprint(signer.public_jwk)
    assert signer.x5c == ()
    assert set(signer.public_jwk) == {*required_members(signer.public_jwk), "kid", "alg", "use"}
    key = parse_public(signer.public_jwk)
    signature = await signer.sign(b"data")
    key.verify(alg, b"data", signature)
    with pytest.raises(InvalidSignature):
        key.verify(alg, b"date", signature)


@pytest.mark.parametrize(("alg", "length"), [("ES256", 64), ("ES384", 96), ("Ed25519", 64)])
async def test_rfc7518_3_4_signatures_have_a_fixed_width(alg, length):
    # short r or s, about one in 128, must be filled up
    assert {len(await SIGNERS[alg].sign(bytes([n]))) for n in range(256)} == {length}


@pytest.mark.parametrize("alg", ALGS)
async def test_private_jwk_round_trip(alg):
    signer = SIGNERS[alg]
    again = LocalSigner.from_jwk(signer.private_jwk())
    assert again.private_jwk() == signer.private_jwk()
    assert (again.kid, again.alg) == (signer.kid, alg)


def test_from_jwk_takes_alg_and_kid_from_the_key_when_it_says_neither():
    for alg in ("ES256", "ES384", "Ed25519"):
        private = {
            name: value
            for name, value in SIGNERS[alg].private_jwk().items()
            if name not in {"kid", "alg", "use"}
        }
        signer = LocalSigner.from_jwk(private)
        assert (signer.alg, signer.kid) == (alg, SIGNERS[alg].kid)


def test_from_jwk_keeps_kid_and_certificates():
    jwk = SIGNERS["ES256"].private_jwk() | {"kid": "mine", "x5c": ["AA=="]}
    signer = LocalSigner.from_jwk(jwk)
    assert (signer.kid, signer.x5c) == ("mine", ("AA==",))


ES = SIGNERS["ES256"].private_jwk()
RS = SIGNERS["RS256"].private_jwk()
OTHER = generate("ES256").private_jwk()


@pytest.mark.parametrize(
    "jwk",
    [
        dict(SIGNERS["ES256"].public_jwk),
        ES | {"d": OTHER["d"]},
        ES | {"d": "!"},
        ES | {"d": 5},
        ES | {"d": ""},
        ES | {"d": base64url.encode(b"\xff" * 32)},
        ES | {"x5c": "AA=="},
        SIGNERS["Ed25519"].private_jwk() | {"d": "AAAA"},
        SIGNERS["Ed25519"].private_jwk() | {"d": base64url.encode(bytes(32))},
        RS | {"p": RS["q"]},
        RS | {"d": RS["e"]},
        {name: value for name, value in RS.items() if name != "alg"},
        {name: value for name, value in RS.items() if name != "qi"},
    ],
)
def test_from_jwk_refuses_what_is_no_whole_key(jwk):
    with pytest.raises(MalformedKey):
        LocalSigner.from_jwk(jwk)


@pytest.mark.parametrize("alg", ALGS)
async def test_a_key_out_of_its_seal_is_read_without_a_proof_of_its_numbers(alg):
    private = SIGNERS[alg].private_jwk()
    signer = LocalSigner.from_jwk(private, authentic=True)
    parse_public(signer.public_jwk).verify(alg, b"data", await signer.sign(b"data"))
    assert signer.private_jwk() == private
    with pytest.raises(MalformedKey):
        LocalSigner.from_jwk(private | {"d": "!"}, authentic=True)


def test_a_key_signs_only_what_it_can():
    with pytest.raises(UnsupportedAlgorithm):
        LocalSigner.from_jwk(ES, alg="RS256")
    with pytest.raises(UnsupportedAlgorithm):
        LocalSigner(ec.generate_private_key(ec.SECP256K1()), "kid", "ES256")
    with pytest.raises(UnsupportedKey):
        LocalSigner.from_jwk({"kty": "oct", "k": "AAAA"})
    for alg in ("none", "HS256", "ES256K"):
        with pytest.raises(UnsupportedAlgorithm):
            generate(alg)


@pytest.mark.parametrize("alg", ALGS)
def test_repr_shows_no_secret(alg):
    signer = SIGNERS[alg]
    shown = repr(signer) + str(signer)
    assert signer.private_jwk()["d"] not in shown
    assert shown.startswith(f"LocalSigner(kid={signer.kid!r}")
