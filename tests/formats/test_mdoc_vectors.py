"""The published examples, restated in tests/vectors/mdoc.json with their sources."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from keys import base64url
from keys.jwk import thumbprint
from oidc.formats import cbor, mdoc
from oidc.formats import mdoc_errors as errors

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "mdoc.json").read_text("utf-8"))
ANNEX_D, VP = VECTORS["annex_d"], VECTORS["openid4vp"]
DURING = 1_606_780_800  # December 2020
MDL = "org.iso.18013.5.1"


def _bytes(name: str) -> bytes:
    return base64.b64decode(ANNEX_D[name])


ROOT = x509.load_der_x509_certificate(_bytes("iaca_root"))


def _document(data: bytes | None = None) -> mdoc.UnverifiedDocument:
    (document,) = mdoc.parse_device_response(data or _bytes("device_response"))
    return document


def _verified(document: mdoc.UnverifiedDocument, now: float = DURING) -> mdoc.VerifiedMdoc:
    return mdoc.verify(document.issuer_signed, [ROOT], now=now, doc_type=document.doc_type)


def _reader() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int(ANNEX_D["ephemeral_reader_key"], 16), ec.SECP256R1())


def _transcript() -> bytes:
    content: bytes = cbor.decode(_bytes("session_transcript_bytes")).value
    return content


def test_annex_d_issuer_signed() -> None:
    found = _verified(_document())
    assert found.doc_type == "org.iso.18013.5.1.mDL"
    elements = dict(found.namespaces[MDL])
    assert len(elements.pop("portrait")) == 1042
    assert elements == {
        "family_name": "Doe",
        "issue_date": "2019-10-20",
        "expiry_date": "2024-10-20",
        "document_number": "123456789",
        "driving_privileges": [
            {
                "vehicle_category_code": "A",
                "issue_date": "2018-08-09",
                "expiry_date": "2024-10-20",
            },
            {
                "vehicle_category_code": "B",
                "issue_date": "2017-02-23",
                "expiry_date": "2024-10-20",
            },
        ],
    }
    assert found.validity == mdoc.Validity(1_601_559_002, 1_601_559_002, 1_633_095_002)
    assert (found.status, found.signer.country) == (None, "US")


def test_annex_d_the_device_key_is_the_one_of_the_standard() -> None:
    private = ec.derive_private_key(int(ANNEX_D["static_device_key"], 16), ec.SECP256R1())
    point = private.public_key().public_numbers()
    jwk = _verified(_document()).device_key.jwk
    assert base64url.decode(jwk["x"]) == point.x.to_bytes(32, "big")


def test_annex_d_device_mac() -> None:
    document = _document()
    mac = _verified(document)
    assert mdoc.verify_device(document, mac, _transcript(), reader_key=_reader()) == {}


def test_annex_d_device_mac_of_another_session() -> None:
    document = _document()
    other = _transcript()[:-1] + b"\x15"
    with pytest.raises(errors.DeviceAuthenticationInvalid):
        mdoc.verify_device(document, _verified(document), other, reader_key=_reader())
    with pytest.raises(errors.DeviceAuthenticationMissing):
        mdoc.verify_device(document, _verified(document), _transcript())


@pytest.mark.parametrize(
    ("original", "changed"),
    [(b"Doe", b"Roe"), (b"2024-10-20", b"2034-10-20"), (b"123456789", b"123456788")],
)
def test_annex_d_a_changed_element_is_refused(original: bytes, changed: bytes) -> None:
    data = _bytes("device_response").replace(original, changed, 1)
    with pytest.raises(errors.DigestMismatch):
        _verified(_document(data))


def test_annex_d_after_its_time() -> None:
    # Its signer's certificate ends before it does.
    with pytest.raises(Exception, match="expired") as caught:
        _verified(_document(), now=1_640_000_000)
    assert getattr(caught.value, "rule", None) == "not_in_force"


def test_openid4vp_b_2_6_1_session_transcript() -> None:
    found = mdoc.openid4vp_transcript(
        client_id=VP["client_id"],
        nonce=VP["nonce"],
        response_uri=VP["response_uri"],
        jwk_thumbprint=base64url.decode(thumbprint(VP["jwk"])),
    )
    assert found.hex() == VP["session_transcript"]


def test_openid4vp_b_2_6_2_session_transcript_of_the_digital_credentials_api() -> None:
    found = mdoc.dc_api_transcript(
        origin=VP["origin"],
        nonce=VP["nonce"],
        jwk_thumbprint=base64url.decode(thumbprint(VP["jwk"])),
    )
    assert found.hex() == VP["dc_api_session_transcript"]


def test_openid4vp_b_2_6_1_without_encryption_the_thumbprint_is_null() -> None:
    arguments: dict[str, Any] = {"client_id": "c", "nonce": "n", "response_uri": "u"}
    plain = mdoc.openid4vp_transcript(**arguments, jwk_thumbprint=None)
    assert plain != mdoc.openid4vp_transcript(**arguments, jwk_thumbprint=bytes(32))
