"""Chains in x5c (RFC 7515 4.1.6; HAIP 1.0, 4.4.1 and 4.5.1): what is followed, what is refused."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from keys.certificates import STATUS_SIGNING
from keys.errors import InvalidChain
from keys.trust_anchors import TrustAnchors
from tests.support.attesting import SUBJECT, WalletProvider, x5c
from tests.support.certificates import SERVER, Authority, ec_key, self_signed

NOW = 1_800_000_000.0
PROVIDER = WalletProvider(NOW)
ANCHORS = TrustAnchors([PROVIDER.root.certificate])
LEAF = PROVIDER.certificate


def refused(chain: object, anchors: TrustAnchors = ANCHORS, now: float = NOW) -> str:
    with pytest.raises(InvalidChain) as caught:
        anchors.certified(chain, now)
    return caught.value.rule


def test_a_use_that_was_not_asked_for_before_is_looked_at_again() -> None:
    anchors = TrustAnchors([PROVIDER.root.certificate])
    anchors.certified(x5c(LEAF), NOW)
    with pytest.raises(InvalidChain) as caught:
        anchors.certified(x5c(LEAF), NOW, usage=STATUS_SIGNING)
    assert caught.value.rule == "extended_key_usage"


def test_without_anchors_nothing_is_believed() -> None:
    assert refused(x5c(LEAF), TrustAnchors([])) == "untrusted"


def test_a_chain_to_an_anchor_gives_the_leafs_key_again_and_again() -> None:
    anchors = TrustAnchors([Authority(NOW).certificate, PROVIDER.root.certificate])
    first, second = (anchors.certified(x5c(LEAF), NOW) for _ in range(2))
    assert first is second
    assert first.leaf == LEAF
    assert first.key.jwk["kty"] == "EC"


def test_a_certificate_for_another_use_may_sign_attestations() -> None:
    other = PROVIDER.root.issue(subject=SUBJECT, usage=SERVER)
    assert ANCHORS.certified(x5c(other), NOW).key.algs == {"ES256"}


@pytest.mark.parametrize(
    ("chain", "rule"),
    [
        (None, "malformed"),
        ("text", "malformed"),
        ([7], "malformed"),
        ([], "malformed"),
        (x5c(LEAF) * 6, "too_long"),
        (["%%%"], "malformed"),
        ([base64.b64encode(b"not a certificate").decode()], "malformed"),
        (["A" * 20_000], "malformed"),
        (["\ud800"], "malformed"),
    ],
)
def test_what_is_no_chain_is_refused(chain: object, rule: str) -> None:
    assert refused(chain) == rule


def test_haip_the_anchor_is_not_in_the_chain() -> None:
    assert refused(x5c(LEAF, PROVIDER.root.certificate)) == "self_signed"
    assert refused(x5c(PROVIDER.root.certificate)) == "self_signed"


def test_haip_the_certificate_that_signs_is_not_self_signed() -> None:
    assert refused(x5c(self_signed(NOW))) == "self_signed"


def test_another_authoritys_certificate_is_refused_whatever_its_name() -> None:
    impostor = Authority(NOW, f"{PROVIDER.title} Root")
    assert refused(x5c(impostor.issue(subject=SUBJECT))) == "untrusted"


@pytest.mark.parametrize("days", [-30, 30])
def test_a_certificate_counts_only_in_its_time_also_when_it_was_seen_before(days: int) -> None:
    anchors = TrustAnchors([PROVIDER.root.certificate])
    anchors.certified(x5c(LEAF), NOW)
    assert refused(x5c(LEAF), anchors, NOW + days * 86_400) == "not_in_force"


def test_an_authoritys_own_certificate_signs_no_attestation() -> None:
    assert refused(x5c(_issued(ca=True))) == "leaf_is_authority"


def test_a_certificate_that_is_not_for_signatures_is_refused() -> None:
    assert refused(x5c(_issued(signs=False))) == "key_usage"


def test_a_key_of_a_curve_that_is_not_spoken_here_is_refused() -> None:
    odd = PROVIDER.root.issue(subject=SUBJECT, key=ec.generate_private_key(ec.SECP521R1()))
    assert refused(x5c(odd)) == "weak"


@given(st.lists(st.one_of(st.text(max_size=40), st.sampled_from(x5c(LEAF))), max_size=7))
def test_any_texts_give_a_key_or_the_one_error(chain: list[str]) -> None:
    try:
        ANCHORS.certified(chain, NOW)
    except InvalidChain:
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
