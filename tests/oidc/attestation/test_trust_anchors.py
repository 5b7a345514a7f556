"""Chains in x5c (RFC 7515 4.1.6; HAIP 1.0, 4.4.1 and 4.5.1): what is followed, what is refused."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from oidc.trust_anchors import ChainRefused, TrustAnchors
from tests.support.attesting import SUBJECT, WalletProvider, x5c
from tests.support.certificates import SERVER, Authority, ec_key, self_signed

NOW = 1_800_000_000.0
PROVIDER = WalletProvider(NOW)
ANCHORS = TrustAnchors([PROVIDER.root.certificate])
LEAF = PROVIDER.certificate


def test_a_chain_to_an_anchor_gives_the_leafs_key_again_and_again() -> None:
    anchors = TrustAnchors([Authority(NOW).certificate, PROVIDER.root.certificate])
    first, second = (anchors.leaf_key(x5c(LEAF), NOW) for _ in range(2))
    assert first is second
    assert first.jwk["kty"] == "EC"


def test_a_certificate_for_another_use_may_sign_attestations() -> None:
    other = PROVIDER.root.issue(subject=SUBJECT, usage=SERVER)
    assert ANCHORS.leaf_key(x5c(other), NOW).algs == {"ES256"}


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ([], "1 to 5"),
        (x5c(LEAF) * 6, "1 to 5"),
        (["%%%"], "base64"),
        ([base64.b64encode(b"not a certificate").decode()], "base64"),
        (["A" * 20_000], "too large"),
        (["\ud800"], "base64"),
    ],
)
def test_what_is_no_chain_is_refused(chain: list[str], words: str) -> None:
    with pytest.raises(ChainRefused, match=words):
        ANCHORS.leaf_key(chain, NOW)


def test_haip_the_anchor_is_not_in_the_chain() -> None:
    with pytest.raises(ChainRefused, match="trust anchor in it"):
        ANCHORS.leaf_key(x5c(LEAF, PROVIDER.root.certificate), NOW)
    with pytest.raises(ChainRefused, match="trust anchor in it"):
        ANCHORS.leaf_key(x5c(PROVIDER.root.certificate), NOW)


def test_haip_the_certificate_that_signs_is_not_self_signed() -> None:
    own = self_signed(NOW)
    with pytest.raises(ChainRefused, match="self-signed"):
        ANCHORS.leaf_key(x5c(own), NOW)


def test_another_authoritys_certificate_is_refused_whatever_its_name() -> None:
    impostor = Authority(NOW, f"{PROVIDER.title} Root")
    with pytest.raises(ChainRefused, match="no trust anchor"):
        ANCHORS.leaf_key(x5c(impostor.issue(subject=SUBJECT)), NOW)


@pytest.mark.parametrize("days", [-30, 30])
def test_a_certificate_counts_only_in_its_time_also_when_it_was_seen_before(days: int) -> None:
    anchors = TrustAnchors([PROVIDER.root.certificate])
    anchors.leaf_key(x5c(LEAF), NOW)
    with pytest.raises(ChainRefused, match="no trust anchor"):
        anchors.leaf_key(x5c(LEAF), NOW + days * 86_400)


def test_an_authoritys_own_certificate_signs_no_attestation() -> None:
    with pytest.raises(ChainRefused, match="no trust anchor"):
        ANCHORS.leaf_key(x5c(_issued(ca=True)), NOW)


def test_a_certificate_that_is_not_for_signatures_is_refused() -> None:
    with pytest.raises(ChainRefused, match="no trust anchor"):
        ANCHORS.leaf_key(x5c(_issued(signs=False)), NOW)


def test_a_key_of_a_curve_that_is_not_spoken_here_is_refused() -> None:
    odd = PROVIDER.root.issue(subject=SUBJECT, key=ec.generate_private_key(ec.SECP521R1()))
    with pytest.raises(ChainRefused):
        ANCHORS.leaf_key(x5c(odd), NOW)


@given(st.lists(st.one_of(st.text(max_size=40), st.sampled_from(x5c(LEAF))), max_size=7))
def test_any_texts_give_a_key_or_the_one_error(chain: list[str]) -> None:
    try:
        ANCHORS.leaf_key(chain, NOW)
    except ChainRefused:
        return
    assert chain[0] == x5c(LEAF)[0]


def _issued(*, ca: bool = False, signs: bool = True) -> x509.Certificate:
    instant = datetime.fromtimestamp(int(NOW), UTC)
    usage = x509.KeyUsage(signs, False, not signs, False, False, False, False, False, False)
    root = PROVIDER.root
    return (
        x509.CertificateBuilder()
        .subject_name(SUBJECT)
        .issuer_name(root.name)
        .public_key(ec_key().public_key())
        .serial_number(77)
        .not_valid_before(instant.replace(year=instant.year - 1))
        .not_valid_after(instant.replace(year=instant.year + 1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.certificate.public_key()),
            critical=False,
        )
        .sign(root._key, SHA256())
    )
