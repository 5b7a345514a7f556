"""mdocs of ours, and every reason to refuse one (ISO/IEC 18013-5, 9.3), one test each."""

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from keys.errors import InvalidChain, InvalidSignature, UnsupportedAlgorithm
from keys.jwk import thumbprint
from keys.signer import LocalSigner, generate
from oidc.formats import cbor, cose, mdoc
from oidc.formats import mdoc_errors as errors
from oidc.formats.errors import MalformedStatusReference
from oidc.formats.mdoc_issue import date_time
from oidc.formats.status_reference import StatusReference
from tests.support.mdoc_world import (
    DAY,
    DOC_TYPE,
    ELEMENTS,
    NOW,
    VALIDITY,
    Iaca,
    counting,
    der,
    forged,
    issued,
    validity,
    verified,
    with_certificate,
)

FULL_DATE = cbor.Tagged(1004, "2099-01-01")
MONTH_13 = cbor.Tagged(0, "2099-13-01T00:00:00Z")
YEAR_0 = cbor.Tagged(0, "0001-01-01T00:00:00+23:59")
OTHER_USAGE = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")


async def refuses(
    error: type[Exception],
    document_signer: LocalSigner,
    mdoc_holder: LocalSigner,
    iaca: Iaca,
    **forging: Any,
) -> Exception:
    data = await forged(document_signer, mdoc_holder, **forging)
    with pytest.raises(error) as caught:
        verified(data, iaca)
    assert type(caught.value) is error
    return caught.value


# Issuing


async def test_what_we_issue_is_what_the_verifier_reads(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    found = verified(await issued(document_signer, mdoc_holder), iaca)
    assert found.namespaces == {DOC_TYPE: {**ELEMENTS, "registration_date": "2019-10-20"}}
    assert found.doc_type == DOC_TYPE
    assert found.validity == VALIDITY
    assert found.device_key.thumbprint == thumbprint(mdoc_holder.public_jwk)
    assert found.status == StatusReference("https://id.example/status/1", 7)
    assert found.signer.country == "HK"


async def test_9_1_2_5_salts_are_long_and_differ(
    document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    items = _items(await issued(document_signer, mdoc_holder))
    salts = [item["random"] for item in items]
    assert all(len(salt) >= 16 for salt in salts)
    assert len(set(salts)) == len(items)


async def test_digest_ids_are_in_no_order_that_can_be_guessed(
    document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    names = {f"e{number}": number for number in range(20)}
    random = counting()
    orders = [
        [item["digestID"] for item in _items(await issued(
            document_signer, mdoc_holder, namespaces={DOC_TYPE: names}, random=random))]
        for _ in range(2)
    ]  # fmt: skip
    assert orders[0] != orders[1] != sorted(orders[1])
    assert sorted(orders[0]) == list(range(20))


async def test_the_header_is_what_the_standard_asks_for(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    decoded = cbor.decode(await issued(document_signer, mdoc_holder))
    protected, unprotected, payload, signature = decoded["issuerAuth"]
    assert cbor.decode(protected) == {1: -7}
    assert list(unprotected) == [33]
    assert cbor.decode(payload).tag == 24
    assert len(signature) == 64


async def test_times_are_in_whole_seconds_of_utc(
    document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    payload = cbor.decode(await issued(document_signer, mdoc_holder))["issuerAuth"][2]
    info = cbor.decode(cbor.decode(payload).value)["validityInfo"]
    assert info["signed"] == cbor.Tagged(0, "2027-01-15T08:00:00Z")


async def test_nothing_is_signed_without_a_certificate(mdoc_holder: LocalSigner) -> None:
    with pytest.raises(errors.SignerMissing):
        await issued(generate("ES256"), mdoc_holder)


async def test_an_rsa_key_has_no_place_in_an_mdoc(document_signer: LocalSigner) -> None:
    with pytest.raises(UnsupportedAlgorithm):
        await issued(document_signer, generate("PS256"))


# The document signer (9.3.3, B.1)


async def test_refuses_a_signer_of_another_root(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    with pytest.raises(InvalidChain) as caught:
        verified(await issued(document_signer, mdoc_holder), Iaca())
    assert caught.value.rule == "untrusted"


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("not_in_force", {"days": -1, "before_days": 5}),
        ("not_in_force", {"before_days": -1, "days": 5}),
        ("extended_key_usage", {"usage": None}),
        ("extended_key_usage", {"usage": OTHER_USAGE}),
        ("leaf_is_authority", {"ca": True}),
        ("critical_extension", {"critical": x509.UnrecognizedExtension(OTHER_USAGE, b"\x05\x00")}),
    ],
)
async def test_refuses_a_certificate_that_may_not_sign_mdocs(
    iaca: Iaca, mdoc_holder: LocalSigner, rule: str, changes: dict[str, Any]
) -> None:
    data = await issued(iaca.signer(**changes), mdoc_holder)
    with pytest.raises(InvalidChain) as caught:
        verified(data, iaca)
    assert caught.value.rule == rule


async def test_refuses_a_root_that_has_expired(mdoc_holder: LocalSigner) -> None:
    old = Iaca(days=40)
    data = await issued(
        old.signer(days=80), mdoc_holder, validity=mdoc.Validity(NOW, NOW, NOW + 60 * DAY)
    )
    with pytest.raises(InvalidChain) as caught:
        verified(data, old, now=NOW + 50 * DAY)
    assert caught.value.rule == "not_in_force"


async def test_refuses_a_signer_of_another_country_than_its_root(
    iaca: Iaca, mdoc_holder: LocalSigner
) -> None:
    with pytest.raises(errors.SignerUnsuitable):
        verified(await issued(iaca.signer(country="SG"), mdoc_holder), iaca)


async def test_refuses_a_root_or_intermediate_in_x5chain(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    chain = [base64.b64decode(document_signer.x5c[0]), der(iaca.certificate)]
    await refuses(
        errors.SignerUnsuitable, document_signer, mdoc_holder, iaca, unprotected={33: chain}
    )


@pytest.mark.parametrize("chain", [None, b"", b"no certificate", 7, [], ["text"], [b"1"] * 5])
async def test_refuses_a_chain_that_is_none(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner, chain: Any
) -> None:
    data = await forged(document_signer, mdoc_holder, unprotected={33: chain})
    with pytest.raises((errors.MalformedCose, InvalidChain)):
        verified(data, iaca)


async def test_refuses_a_signature_of_another_key(iaca: Iaca, mdoc_holder: LocalSigner) -> None:
    certified = ec.generate_private_key(ec.SECP256R1())
    thief = with_certificate(ec.generate_private_key(ec.SECP256R1()), iaca.certify(certified))
    with pytest.raises(InvalidSignature):
        verified(await issued(thief, mdoc_holder), iaca)


async def test_refuses_an_algorithm_that_is_not_accepted(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    with pytest.raises(UnsupportedAlgorithm):
        verified(await issued(document_signer, mdoc_holder), iaca, algs=frozenset({"ES384"}))


@pytest.mark.parametrize("number", [-9, -7])
async def test_rfc9864_both_numbers_of_the_algorithm_are_read(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner, number: int
) -> None:
    decoded = cbor.decode(await issued(document_signer, mdoc_holder))
    protected = cbor.encode({1: number})
    payload = decoded["issuerAuth"][2]
    signature = await document_signer.sign(cose.signed_bytes("Signature1", protected, payload))
    decoded["issuerAuth"] = [protected, decoded["issuerAuth"][1], payload, signature]
    assert verified(cbor.encode(decoded), iaca).doc_type == DOC_TYPE


@pytest.mark.parametrize(
    "protected", [{}, {1: -35}, {1: -8}, {1: 5}, {1: True}, {1: "ES256"}, {1: -7, 2: [1]}]
)
async def test_refuses_a_header_that_names_another_algorithm_or_demands_more(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner, protected: dict[int, Any]
) -> None:
    decoded = cbor.decode(await issued(document_signer, mdoc_holder))
    decoded["issuerAuth"][0] = cbor.encode(protected)
    with pytest.raises((UnsupportedAlgorithm, errors.MalformedCose)):
        verified(cbor.encode(decoded), iaca)


async def test_refuses_a_parameter_in_both_headers(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    decoded = cbor.decode(await issued(document_signer, mdoc_holder))
    decoded["issuerAuth"][1][1] = -7
    with pytest.raises(errors.MalformedCose):
        verified(cbor.encode(decoded), iaca)


# The security object (9.1.2.4, 9.3.1)


@pytest.mark.parametrize(
    ("error", "security"),
    [
        (errors.UnsupportedMdocVersion, {"version": "2.0"}),
        (errors.UnsupportedMdocVersion, {"version": 1}),
        (errors.UnknownDigestAlgorithm, {"digestAlgorithm": "SHA-1"}),
        (errors.UnknownDigestAlgorithm, {"digestAlgorithm": [1]}),
        (errors.DocTypeMismatch, {"docType": "org.iso.18013.5.1.mDL"}),
        (errors.MalformedMdoc, {"docType": 1}),
        (errors.MalformedMdoc, {"valueDigests": []}),
        (errors.DigestMissing, {"valueDigests": {}}),
        (errors.DigestMissing, {"valueDigests": {DOC_TYPE: {}}}),
        (errors.DigestMissing, {"valueDigests": {DOC_TYPE: {0: "text"}}}),
        (errors.DigestMissing, {"valueDigests": {"another": {0: bytes(32)}}}),
        (errors.DigestMismatch, {"valueDigests": {DOC_TYPE: {0: bytes(32)}}}),
        (errors.DigestMismatch, {"valueDigests": {DOC_TYPE: {0: b""}}}),
        (errors.MalformedMdoc, {"deviceKeyInfo": 1}),
        (errors.MalformedCose, {"deviceKeyInfo": {}}),
        (errors.MalformedCose, {"deviceKeyInfo": {"deviceKey": {1: 2, -1: 1, -2: bytes(32)}}}),
        (errors.MalformedCose, {"deviceKeyInfo": {"deviceKey": {1: 4, -1: b"secret"}}}),
        (errors.MalformedMdoc, {"validityInfo": {}}),
        (errors.MalformedMdoc, {"validityInfo": validity(signed="2027-01-15T08:00:00Z")}),
        (errors.MalformedMdoc, {"validityInfo": validity(validUntil=cbor.Tagged(0, "tomorrow"))}),
        (errors.MalformedMdoc, {"validityInfo": validity(validUntil=FULL_DATE)}),
        (errors.MalformedMdoc, {"validityInfo": validity(validUntil=MONTH_13)}),
        (errors.MalformedMdoc, {"validityInfo": validity(signed=YEAR_0)}),
        (errors.MdocExpired, {"validityInfo": validity(validUntil=date_time(NOW - 11))}),
        (errors.MdocNotYetValid, {"validityInfo": validity(validFrom=date_time(NOW + 11))}),
        (errors.MdocNotYetValid, {"validityInfo": validity(signed=date_time(NOW + 11))}),
        (errors.MdocNotYetValid, {"validityInfo": validity(signed=date_time(NOW - 2 * DAY))}),
        (MalformedStatusReference, {"status": {"status_list": {"idx": -1, "uri": "u"}}}),
    ],
)  # fmt: skip
async def test_refuses_a_security_object(
    iaca: Iaca,
    document_signer: LocalSigner,
    mdoc_holder: LocalSigner,
    error: type[Exception],
    security: dict[str, Any],
) -> None:
    await refuses(error, document_signer, mdoc_holder, iaca, security=security)


@pytest.mark.parametrize(
    "name",
    ["version", "digestAlgorithm", "valueDigests", "deviceKeyInfo", "docType", "validityInfo"],
)
async def test_refuses_a_security_object_without(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner, name: str
) -> None:
    data = await forged(document_signer, mdoc_holder, leave_out=name)
    with pytest.raises(errors.MdocError):
        verified(data, iaca)


async def test_refuses_an_element_twice(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    decoded = cbor.decode(await issued(document_signer, mdoc_holder))
    decoded["nameSpaces"][DOC_TYPE].append(decoded["nameSpaces"][DOC_TYPE][0])
    with pytest.raises(errors.DuplicateElement):
        verified(cbor.encode(decoded), iaca)


async def test_refuses_an_element_in_another_namespace(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    decoded = cbor.decode(await issued(document_signer, mdoc_holder))
    decoded["nameSpaces"]["another"] = decoded["nameSpaces"].pop(DOC_TYPE)
    with pytest.raises(errors.DigestMissing):
        verified(cbor.encode(decoded), iaca)


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"digestID": -1},
        {"digestID": True},
        {"digestID": "0"},
        {"random": bytes(15)},
        {"random": "text"},
        {"elementIdentifier": 1},
        {"elementIdentifier": None},
    ],
)
async def test_refuses_a_malformed_element(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner, item: dict[str, Any]
) -> None:
    whole = {"digestID": 0, "random": bytes(16), "elementIdentifier": "a", "elementValue": 1}
    encoded = cbor.encode({**whole, **item} if item else {})
    items = {DOC_TYPE: [cbor.embed(encoded)]}
    await refuses(errors.MalformedMdoc, document_signer, mdoc_holder, iaca, items=items)


@pytest.mark.parametrize(
    "items", [[], {1: []}, {DOC_TYPE: []}, {DOC_TYPE: [1]}, {DOC_TYPE: [b"1"]}, {DOC_TYPE: 1}]
)
async def test_refuses_malformed_namespaces(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner, items: Any
) -> None:
    await refuses(errors.MalformedMdoc, document_signer, mdoc_holder, iaca, items=items)


def _items(data: bytes) -> list[dict[str, Any]]:
    return [cbor.decode(item.value) for item in cbor.decode(data)["nameSpaces"][DOC_TYPE]]
