"""Opening what was encrypted to us: what joserfc and jwcrypto make, and nothing changed."""

import json
from typing import Any

import pytest
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import import_key
from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk

from keys import jwe
from keys.base64url import decode, encode
from keys.errors import (
    CriticalHeader,
    DecryptionFailed,
    KeysError,
    MalformedJwe,
    MalformedKey,
    UnknownKey,
    UnsupportedAlgorithm,
    WrongType,
)
from keys.jwe_decrypt import MAX_BYTES, DecryptionKey, decrypt, is_encrypted, parse_keys
from keys.signer import LocalSigner, generate
from tests.keys.test_jwe import CASES, EC, RSA, TOKEN, WIDE, keys, private, public


def ours(*signers: LocalSigner, **changes: Any) -> tuple[DecryptionKey, ...]:
    return parse_keys({"keys": [{**private(signer), **changes} for signer in signers]})


def made(
    signer: LocalSigner = EC,
    alg: str = "ECDH-ES+A256KW",
    enc: str = "A256GCM",
    plain: str = TOKEN,
    **header: Any,
) -> str:
    """By joserfc, with any header."""
    bare = {name: value for name, value in private(signer).items() if name not in ("d", "kid")}
    protected = {"alg": alg, "enc": enc, "cty": "JWT", **header}
    wanted = {name: value for name, value in protected.items() if value is not None}
    return joserfc_jwe.encrypt_compact(
        wanted, plain, import_key(bare), algorithms=[alg, enc, "DEF"]
    )


def changed(compact: str, part: int, value: bytes | None = None) -> str:
    parts = compact.split(".")
    raw = bytearray(decode(parts[part]))
    if value is None:
        raw[-1] ^= 1
        value = bytes(raw)
    parts[part] = encode(value)
    return ".".join(parts)


def with_header(compact: str, **changes: Any) -> str:
    """Changing the header breaks the tag: only for what is refused before it is compared."""
    header = json.loads(decode(compact.split(".", 1)[0])) | changes
    header = {name: value for name, value in header.items() if value is not ...}
    return changed(compact, 0, json.dumps(header).encode())


@pytest.mark.parametrize(("signer", "alg", "enc"), CASES)
def test_what_we_encrypt_we_open(signer: LocalSigner, alg: str, enc: str) -> None:
    key = jwe.choose_key(keys(public(signer, kid="k1")), alg)
    compact = jwe.encrypt(TOKEN, key, alg=alg, enc=enc)
    assert is_encrypted(compact)
    assert decrypt(compact, ours(signer, kid="k1")) == TOKEN


@pytest.mark.parametrize(("signer", "alg", "enc"), CASES)
def test_what_jwcrypto_encrypts_we_open(signer: LocalSigner, alg: str, enc: str) -> None:
    header = {"alg": alg, "enc": enc, "cty": "JWT", "apu": encode(b"from"), "apv": encode(b"to")}
    if alg == "RSA-OAEP-256":
        header = {name: value for name, value in header.items() if name not in ("apu", "apv")}
    token = jwcrypto_jwe.JWE(TOKEN, json.dumps(header), algs=[alg, enc])
    token.add_recipient(jwcrypto_jwk.JWK(**private(signer)))
    assert decrypt(token.serialize(compact=True), ours(signer)) == TOKEN


@pytest.mark.parametrize(("signer", "alg", "enc"), CASES)
@pytest.mark.parametrize("part", [1, 2, 3, 4])
def test_rfc7516_5_2_any_change_is_refused_and_nothing_more_is_said(
    signer: LocalSigner, alg: str, enc: str, part: int
) -> None:
    compact = made(signer, alg, enc)
    other = b"x" if alg == "ECDH-ES" and part == 1 else None
    with pytest.raises(DecryptionFailed) as caught:
        decrypt(changed(compact, part, other), ours(signer))
    assert str(caught.value) == "it cannot be decrypted"
    assert decrypt(compact, ours(signer)) == TOKEN


def test_the_header_is_under_the_tag() -> None:
    with pytest.raises(DecryptionFailed):
        decrypt(with_header(made(), more="x"), ours(EC))


@pytest.mark.parametrize("length", [0, 8, 12, 15])
@pytest.mark.parametrize("enc", jwe.ENCS)
def test_rfc7518_5_2_a_shortened_tag_is_refused(enc: str, length: int) -> None:
    compact = made(enc=enc)
    tag = decode(compact.split(".")[4])[:length]
    with pytest.raises(DecryptionFailed):
        decrypt(changed(compact, 4, tag), ours(EC))


def test_another_key_cannot_open_it() -> None:
    with pytest.raises(DecryptionFailed):
        decrypt(made(), ours(generate("ES256")))
    with pytest.raises(DecryptionFailed):
        decrypt(made(RSA, "RSA-OAEP-256"), ours(generate("RS256")))
    with pytest.raises(UnknownKey):
        decrypt(made(), ours(RSA))


def test_a_named_key_is_tried_alone_and_without_a_name_each() -> None:
    first, second = ours(EC, kid="a") + ours(WIDE, kid="b")
    assert decrypt(made(kid="a"), (second, first)) == TOKEN
    assert decrypt(made(), (second, first)) == TOKEN
    with pytest.raises(DecryptionFailed):
        decrypt(made(kid="b"), (second, first))
    with pytest.raises(UnknownKey):
        decrypt(made(kid="c"), (second, first))
    unnamed = {name: value for name, value in private(EC).items() if name != "kid"}
    assert decrypt(made(kid="c"), parse_keys(unnamed)) == TOKEN


def test_rfc7518_4_6_the_ephemeral_key_must_be_of_the_keys_curve() -> None:
    compact = made()
    stranger = {name: WIDE.public_jwk[name] for name in ("kty", "crv", "x", "y")}
    off_curve = {"kty": "EC", "crv": "P-256", "x": encode(b"\1" * 32), "y": encode(b"\2" * 32)}
    for epk in (stranger, off_curve, {"kty": "EC"}, dict(private(RSA)), {}):
        with pytest.raises(DecryptionFailed):
            decrypt(with_header(compact, epk=epk), ours(EC))
    for epk in (..., "text", None, []):
        with pytest.raises(MalformedJwe):
            decrypt(with_header(compact, epk=epk), ours(EC))


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "RSA1_5"},
        {"alg": "RSA-OAEP"},
        {"alg": "dir"},
        {"alg": "none"},
        {"alg": "PBES2-HS256+A128KW"},
        {"alg": ["ECDH-ES"]},
        {"alg": ...},
        {"enc": "A192GCM"},
        {"enc": "none"},
        {"enc": {}},
        {"enc": ...},
        {"zip": "DEF"},
    ],
)
def test_other_algorithms_and_compression_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedAlgorithm):
        decrypt(with_header(made(), **change), ours(EC))


def test_rfc7516_4_1_13_an_extension_that_is_demanded_is_refused() -> None:
    with pytest.raises(CriticalHeader):
        decrypt(with_header(made(), crit=["x"], x=1), ours(EC))


@pytest.mark.parametrize("cty", [None, "json", "at+jwt", ""])
def test_rfc7519_5_2_what_is_inside_must_be_said_to_be_a_jwt(cty: str | None) -> None:
    with pytest.raises(WrongType):
        decrypt(made(cty=cty), ours(EC))
    assert decrypt(made(cty="jwt"), ours(EC)) == TOKEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "....",
        "a.b.c.d",
        "e30.a.a.a.a",
        "é.a.a.a.a",
        "W10....",
        "e30=....",
        made()[:-1] + "=",
        made() + ".AA",
        made(kid=None).replace(".", "..", 1),
        "x" * (MAX_BYTES + 1),
    ],
)
def test_rfc7516_7_1_what_is_no_compact_jwe_is_refused(text: str) -> None:
    with pytest.raises(KeysError) as caught:
        decrypt(text, ours(EC))
    assert type(caught.value) in (MalformedJwe, UnsupportedAlgorithm)


def test_a_header_parameter_of_another_form_is_refused() -> None:
    for name in ("kid", "apu", "apv"):
        with pytest.raises(MalformedJwe):
            decrypt(with_header(made(), **{name: 1}), ours(EC))


def test_a_content_that_is_not_ascii_is_no_jwt() -> None:
    with pytest.raises(DecryptionFailed):
        decrypt(made(plain="é"), ours(EC))


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"keys": []},
        {"keys": [1]},
        {"keys": {}},
        dict(EC.public_jwk),
        {**private(EC), "use": "sig"},
        {**private(EC), "key_ops": ["sign"]},
        {**private(EC), "alg": "ES256"},
        {**private(EC), "alg": "RSA-OAEP-256"},
        {**private(EC), "x": private(generate("ES256"))["x"]},
        private(generate("Ed25519")),
        {"kty": "oct", "k": encode(b"k" * 32)},
    ],
)
def test_what_is_no_private_key_for_encryption_is_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(MalformedKey):
        parse_keys(jwk)


def test_a_key_says_what_it_may_be_used_for() -> None:
    (key,) = parse_keys({**private(EC), "alg": "ECDH-ES", "use": "enc", "key_ops": ["deriveKey"]})
    assert key.algs == {"ECDH-ES"}
    with pytest.raises(UnknownKey):
        decrypt(made(alg="ECDH-ES+A256KW"), (key,))
    assert private(EC)["d"] not in repr(key)


def test_no_change_of_one_bit_anywhere_is_taken() -> None:
    compact = made(enc="A128CBC-HS256")
    for part in (1, 2, 3, 4):
        raw = decode(compact.split(".")[part])
        for place in range(len(raw)):
            broken = raw[:place] + bytes([raw[place] ^ 0x80]) + raw[place + 1 :]
            with pytest.raises(DecryptionFailed):
                decrypt(changed(compact, part, broken), ours(EC))
