"""Chains in x5c: RFC 5280 6.1 and HAIP, each rule broken by itself."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from keys.certificates import (
    DOCUMENT_SIGNER,
    STATUS_SIGNING,
    certified_key,
    check_document_signer,
    is_named,
    load,
    read_chain,
    to_x5c,
    uris_of,
    verify_chain,
)
from keys.errors import InvalidChain
from keys.jwk import public_members, thumbprint
from tests.support.chains import ISSUER, Certified, certify, for_issuer

NOW = 1_800_000_000
YEAR = 365 * 86_400
ROOT = certify(NOW, "Sample Root", authority=True, ends=YEAR)
MIDDLE = certify(NOW, "Sample Issuing Authority", ROOT, authority=True, path_length=0, ends=YEAR)
LEAF = certify(NOW, "Sample Issuer", MIDDLE, names=for_issuer())


def chain(*certified: Certified) -> list[x509.Certificate]:
    return [one.certificate for one in certified]


def rule(*certified: Certified, anchors: Any = (ROOT,), now: float = NOW, **more: Any) -> str:
    with pytest.raises(InvalidChain) as refused:
        verify_chain(chain(*certified), chain(*anchors), now, **more)
    return refused.value.rule


def leaf(by: Certified = MIDDLE, **changes: Any) -> Certified:
    return certify(NOW, "Sample Issuer", by, **changes)


def middle(by: Certified = ROOT, **changes: Any) -> Certified:
    return certify(NOW, "Sample Issuing Authority", by, **{"authority": True, **changes})


def test_a_chain_leads_to_its_anchor() -> None:
    other = certify(NOW, "Other Root", authority=True)
    found = verify_chain(chain(LEAF, MIDDLE), chain(other, ROOT), NOW)
    assert found == ROOT.certificate
    direct = leaf(ROOT)
    assert verify_chain(chain(direct), chain(ROOT), NOW) == ROOT.certificate


def test_the_intermediate_may_be_the_anchor() -> None:
    assert verify_chain(chain(LEAF), chain(MIDDLE), NOW) == MIDDLE.certificate


def test_haip_nothing_self_signed_is_in_the_chain() -> None:
    assert rule(certify(NOW, "Self")) == "self_signed"
    assert rule(LEAF, MIDDLE, ROOT) == "self_signed"
    # Not even when it is the anchor itself.
    alone = certify(NOW, "Self")
    assert rule(alone, anchors=(alone,)) == "self_signed"


def test_rfc5280_6_1_each_is_in_force() -> None:
    late, early = {"ends": -1}, {"begins": 60}
    assert rule(leaf(**late), MIDDLE) == "not_in_force"
    assert rule(leaf(**early), MIDDLE) == "not_in_force"
    ended = middle(**late)
    assert rule(leaf(ended), ended) == "not_in_force"
    root = certify(NOW, "Ended Root", authority=True, ends=-1)
    assert rule(leaf(root), anchors=(root,)) == "not_in_force"
    assert rule(LEAF, MIDDLE, now=NOW + 2 * YEAR) == "not_in_force"


def test_rfc5280_6_1_each_is_issued_by_the_next() -> None:
    stranger = middle()
    assert rule(LEAF, stranger) == "wrong_order"  # the name fits, the key does not
    assert rule(MIDDLE, LEAF) in ("leaf_is_authority", "not_an_authority")
    assert rule(leaf(ROOT), MIDDLE) == "wrong_order"
    forged = leaf(signed_by=ec.generate_private_key(ec.SECP256R1()))
    assert rule(forged, MIDDLE) == "wrong_order"


def test_it_leads_to_no_anchor() -> None:
    assert rule(LEAF, MIDDLE, anchors=()) == "untrusted"
    namesake = certify(NOW, "Sample Root", authority=True)
    assert rule(LEAF, MIDDLE, anchors=(namesake,)) == "untrusted"
    assert rule(LEAF, anchors=(ROOT,)) == "untrusted"  # the intermediate is missing


def test_rfc5280_4_2_1_9_only_authorities_issue() -> None:
    plain = certify(NOW, "No Authority", ROOT)
    assert rule(leaf(plain), plain) == "not_an_authority"
    without = middle(constraints=False)
    assert rule(leaf(without), without) == "not_an_authority"
    root = certify(NOW, "Root", constraints=False, authority=True)
    assert rule(leaf(root), anchors=(root,)) == "not_an_authority"


def test_rfc5280_4_2_1_9_the_path_length_counts() -> None:
    below = certify(NOW, "Too Deep", MIDDLE, authority=True)
    assert rule(leaf(below), below, MIDDLE) == "path_length"
    root = certify(NOW, "Short Root", authority=True, path_length=0)
    under = middle(root)
    assert rule(leaf(under), under, anchors=(root,)) == "path_length"


def test_rfc5280_4_2_1_3_the_key_usage_counts() -> None:
    assert rule(leaf(key_usage=False), MIDDLE) == "key_usage"
    issuing = middle(key_usage=False)
    assert rule(leaf(issuing), issuing) == "key_usage"
    root = certify(NOW, "Root", authority=True, key_usage=False)
    assert rule(leaf(root), anchors=(root,)) == "key_usage"


def test_rfc5280_4_2_1_3_where_no_usage_is_said_the_key_may_sign() -> None:
    issuing = middle(key_usage=None)
    verify_chain(chain(leaf(issuing, key_usage=None), issuing), chain(ROOT), NOW)


def test_the_leaf_is_no_authority() -> None:
    assert rule(MIDDLE) == "leaf_is_authority"


@pytest.mark.parametrize("usage", [STATUS_SIGNING, DOCUMENT_SIGNER])
def test_tsl_10_the_extended_key_usage_is_the_one_asked_for(usage: x509.ObjectIdentifier) -> None:
    able = leaf(usage=usage)
    assert verify_chain(chain(able, MIDDLE), chain(ROOT), NOW, usage=usage) == ROOT.certificate
    assert rule(LEAF, MIDDLE, usage=usage) == "extended_key_usage"
    other = leaf(usage=ExtendedKeyUsageOID.SERVER_AUTH)
    assert rule(other, MIDDLE, usage=usage) == "extended_key_usage"


def test_rfc5280_4_2_critical_and_unknown_is_refused() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    assert rule(leaf(more=((unknown, True),)), MIDDLE) == "critical_extension"
    verify_chain(chain(leaf(more=((unknown, False),)), MIDDLE), chain(ROOT), NOW)
    limits = x509.NameConstraints([x509.DNSName("example")], None)
    limited = middle(more=((limits, True),))
    assert rule(leaf(limited), limited) == "critical_extension"


def test_weak_signatures_and_keys_are_refused() -> None:
    # A digest that is known but not accepted stands for every weak one.
    assert rule(leaf(digest=hashes.SHA224()), MIDDLE) == "weak"
    assert rule(leaf(key=rsa.generate_private_key(65537, 1024)), MIDDLE) == "weak"
    assert rule(leaf(key=ec.generate_private_key(ec.SECP256K1())), MIDDLE) == "weak"
    for good in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())):
        verify_chain(chain(leaf(key=good), MIDDLE), chain(ROOT), NOW)


def test_the_number_of_certificates_is_bounded() -> None:
    assert rule() == "too_long"
    assert rule(*([LEAF] * 6)) == "too_long"


@pytest.mark.parametrize(
    ("x5c", "broken"),
    [
        (None, "malformed"),
        ("MIIB", "malformed"),
        ([], "malformed"),
        ({}, "malformed"),
        ([7], "malformed"),
        (["MIIB"], "malformed"),
        (["!"], "malformed"),
        (["A" * 20_000], "malformed"),
        (["MIIB"] * 6, "too_long"),
    ],
)
def test_rfc7515_4_1_6_x5c_is_a_short_array_of_base64(x5c: object, broken: str) -> None:
    with pytest.raises(InvalidChain) as refused:
        read_chain(x5c)
    assert refused.value.rule == broken


def test_rfc7515_4_1_6_base64url_is_refused() -> None:
    der = LEAF.certificate.public_bytes(Encoding.DER)
    text = base64.urlsafe_b64encode(der + b"\xfb\xff").decode()
    with pytest.raises(InvalidChain):
        read_chain([text])


@pytest.mark.parametrize("first_octet", [0x00, 0x80, 0xFF])
def test_rfc5280_4_1_2_2_the_serial_number_is_positive(first_octet: int) -> None:
    sound = LEAF.certificate.public_bytes(Encoding.DER)
    serial = LEAF.certificate.serial_number
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    changed = bytes([first_octet]) + (bytes(len(octets) - 1) if not first_octet else octets[1:])
    assert load(sound).serial_number == serial
    with pytest.raises(ValueError, match="serial number"):
        load(sound.replace(octets, changed, 1))


@given(st.binary(max_size=60))
def test_what_is_no_certificate_is_refused_as_such(der: bytes) -> None:
    with pytest.raises(InvalidChain):
        read_chain([base64.b64encode(der).decode()])


def test_x5c_both_ways() -> None:
    written = to_x5c(chain(LEAF, MIDDLE))
    assert read_chain(list(written)) == tuple(chain(LEAF, MIDDLE))


@given(flipped=st.integers(0, len(LEAF.certificate.public_bytes(Encoding.DER)) - 1))
def test_a_changed_certificate_never_says_something_else(flipped: int) -> None:
    der = bytearray(LEAF.certificate.public_bytes(Encoding.DER))
    der[flipped] ^= 0x01
    try:
        (changed,) = read_chain([base64.b64encode(der).decode()])
        verify_chain([changed, MIDDLE.certificate], chain(ROOT), NOW)
    except InvalidChain:
        return
    # A signature can be written in two ways: its last bit may be counted as unused where it is 0.
    assert changed.tbs_certificate_bytes == LEAF.certificate.tbs_certificate_bytes


def test_the_certified_key_is_the_one_that_signs() -> None:
    members = public_members(LEAF.key.public_key())
    assert certified_key(LEAF.certificate).thumbprint == thumbprint(members)
    for useless in (ec.generate_private_key(ec.SECP521R1()),):
        with pytest.raises(InvalidChain):
            certified_key(leaf(key=useless).certificate)


@pytest.mark.parametrize(
    ("names", "named"),
    [
        (for_issuer(), True),
        ((x509.UniformResourceIdentifier(ISSUER),), True),
        ((x509.DNSName("ID.example"),), True),
        ((), False),
        ((x509.DNSName("*.example"),), False),
        ((x509.DNSName("other.example"),), False),
        ((x509.UniformResourceIdentifier(f"{ISSUER}/"),), False),
        ((x509.RFC822Name("a@id.example"),), False),
    ],
)
def test_the_issuer_is_a_subject_alternative_name(
    names: tuple[x509.GeneralName, ...], named: bool
) -> None:
    assert is_named(leaf(names=names).certificate, ISSUER) is named


def test_uris_are_found() -> None:
    assert uris_of(LEAF.certificate) == [ISSUER]
    assert uris_of(leaf().certificate) == []


IACA = certify(NOW, "Sample IACA", authority=True, path_length=0, ends=9 * YEAR)
SIGNER: tuple[tuple[x509.ExtensionType, bool], ...] = (
    (x509.IssuerAlternativeName([x509.UniformResourceIdentifier(ISSUER)]), False),
    (
        x509.CRLDistributionPoints(
            [
                x509.DistributionPoint(
                    [x509.UniformResourceIdentifier(f"{ISSUER}/iaca.crl")], None, None, None
                )
            ]
        ),
        False,
    ),
)


def test_iso18013_5_b_1_4_a_document_signer() -> None:
    good = leaf(IACA, more=SIGNER)
    check_document_signer(good.certificate, IACA.certificate)


def _too_long() -> Certified:
    return leaf(IACA, more=SIGNER, ends=458 * 86_400)


def _other_country() -> Certified:
    return leaf(IACA, more=SIGNER, country="NZ")


def _no_country() -> Certified:
    return leaf(IACA, more=SIGNER, country=None)


def _no_key_usage() -> Certified:
    return leaf(IACA, more=SIGNER, key_usage=None)


def _no_names() -> Certified:
    return leaf(IACA, more=SIGNER[1:])


def _no_revocation_list() -> Certified:
    return leaf(IACA, more=SIGNER[:1])


@pytest.mark.parametrize(
    ("made", "broken"),
    [
        (_too_long, "lifetime"),
        (_other_country, "country"),
        (_no_country, "country"),
        (_no_key_usage, "key_usage"),
        (_no_names, "names"),
        (_no_revocation_list, "names"),
    ],
)
def test_iso18013_5_b_1_4_what_a_document_signer_lacks(
    made: Callable[[], Certified], broken: str
) -> None:
    with pytest.raises(InvalidChain) as refused:
        check_document_signer(made().certificate, IACA.certificate)
    assert refused.value.rule == broken
