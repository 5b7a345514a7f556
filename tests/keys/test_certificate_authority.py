"""What the development authority certifies: RFC 5280, ISO/IEC 18013-5 annex B."""

import secrets
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from keys.certificate_authority import PROFILES, Authority, Subject, new_root, request
from keys.certificates import (
    DOCUMENT_SIGNER,
    STATUS_SIGNING,
    certified_key,
    check_document_signer,
    is_named,
    verify_chain,
)
from keys.jwk import library_key, thumbprint
from keys.signer import LocalSigner, generate

NOW = 1_800_000_000
ISSUER = "https://id.example/corp"
SUBJECT = Subject(ISSUER, "HK", "Sample Issuer")
CRL = f"{ISSUER}/pki/iaca.crl"
IACA = new_root(generate("ES256"), "IACA", SUBJECT, NOW, secrets.token_bytes, crl_url=CRL)
KEY = generate("ES256")


def issue(purpose: str, root: Authority = IACA, key: LocalSigner = KEY, **more: int):  # type: ignore[no-untyped-def]
    return root.issue(
        PROFILES[purpose], SUBJECT, library_key(key.public_jwk), NOW, secrets.token_bytes, **more
    )


def value(certificate: x509.Certificate, kind: type) -> tuple[object, bool]:
    found = certificate.extensions.get_extension_for_class(kind)
    return found.value, found.critical


def test_iso18013_5_b_1_1_the_iaca_root() -> None:
    root = IACA.certificate
    assert root.subject == root.issuer
    assert root.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)[0].value == "HK"
    assert root.not_valid_after_utc - root.not_valid_before_utc < timedelta(days=20 * 365)
    assert value(root, x509.BasicConstraints) == (x509.BasicConstraints(True, 0), True)
    usage, critical = value(root, x509.KeyUsage)
    assert isinstance(usage, x509.KeyUsage)
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert critical
    assert value(root, x509.IssuerAlternativeName)[1] is False
    assert root.serial_number.bit_length() > 63


def test_iso18013_5_b_1_4_the_document_signer() -> None:
    leaf = issue("mdoc")
    anchor = verify_chain([leaf], [IACA.certificate], NOW, usage=DOCUMENT_SIGNER)
    check_document_signer(leaf, anchor)
    assert value(leaf, x509.ExtendedKeyUsage) == (x509.ExtendedKeyUsage([DOCUMENT_SIGNER]), True)
    assert value(leaf, x509.KeyUsage)[1] is True
    names, _ = value(leaf, x509.IssuerAlternativeName)
    assert isinstance(names, x509.IssuerAlternativeName)
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [ISSUER]
    with pytest.raises(x509.ExtensionNotFound):
        value(leaf, x509.BasicConstraints)  # B.1.4 has none
    identifier, _ = value(leaf, x509.AuthorityKeyIdentifier)
    assert isinstance(identifier, x509.AuthorityKeyIdentifier)
    own, _ = value(IACA.certificate, x509.SubjectKeyIdentifier)
    assert isinstance(own, x509.SubjectKeyIdentifier)
    assert identifier.key_identifier == own.digest


def test_iso18013_5_b_1_4_a_document_signer_lives_at_most_457_days() -> None:
    check_document_signer(issue("mdoc", days=456), IACA.certificate)
    with pytest.raises(ValueError, match="457"):
        issue("mdoc", days=457)


def test_tsl_10_only_the_status_key_may_sign_lists() -> None:
    leaf = issue("status")
    verify_chain([leaf], [IACA.certificate], NOW, usage=STATUS_SIGNING)
    for purpose in ("credentials", "metadata"):
        with pytest.raises(x509.ExtensionNotFound):
            value(issue(purpose), x509.ExtendedKeyUsage)


@pytest.mark.parametrize("purpose", PROFILES)
def test_the_leaf_is_for_the_issuer_and_the_key(purpose: str) -> None:
    leaf = issue(purpose)
    assert is_named(leaf, ISSUER)
    assert certified_key(leaf).thumbprint == thumbprint(KEY.public_jwk)
    names, _ = value(leaf, x509.SubjectAlternativeName)
    assert isinstance(names, x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.DNSName) == ["id.example"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [ISSUER]


def test_a_loopback_issuer_is_an_address() -> None:
    loopback = Subject("http://127.0.0.1:8080", "HK", "Sample Issuer")
    leaf = IACA.issue(
        PROFILES["credentials"], loopback, library_key(KEY.public_jwk), NOW, secrets.token_bytes
    )
    assert is_named(leaf, "http://127.0.0.1:8080")


def test_no_leaf_outlives_its_root() -> None:
    late = NOW + 3640 * 86_400
    leaf = IACA.issue(
        PROFILES["status"], SUBJECT, library_key(KEY.public_jwk), late, secrets.token_bytes
    )
    assert leaf.not_valid_after_utc == IACA.certificate.not_valid_after_utc


def test_serial_numbers_are_random_and_short_enough() -> None:
    serials = {issue("status").serial_number for _ in range(5)}
    assert len(serials) == 5
    assert all(64 <= one.bit_length() <= 159 for one in serials)


def test_rfc2986_a_request_proves_the_key_and_says_the_use() -> None:
    made = x509.load_pem_x509_csr(request(KEY, PROFILES["mdoc"], SUBJECT))
    assert made.is_signature_valid
    key = made.public_key()
    assert key == library_key(KEY.public_jwk)
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert DOCUMENT_SIGNER in usage


def test_rfc5280_5_the_revocation_list() -> None:
    made = IACA.revocation_list([77], 3, NOW)
    issuer_key = IACA.certificate.public_key()
    assert made.is_signature_valid(issuer_key)  # type: ignore[arg-type]
    assert [one.serial_number for one in made] == [77]
    assert made.get_revoked_certificate_by_serial_number(78) is None
    assert made.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3
