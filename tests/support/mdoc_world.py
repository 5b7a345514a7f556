"""An IACA root, document signers under it, and a wallet that shows mdocs; and all of it broken."""

import base64
import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keys.jwk import public_members
from keys.signer import LocalSigner
from oidc.formats import cbor, cose, mdoc
from oidc.formats.mdoc_issue import date_time

NOW = 1_800_000_000
DAY = 86_400
ISSUER = "https://id.example/corp"
DOC_TYPE = "example.sample.company.1"
DOCUMENT_SIGNER = x509.ObjectIdentifier("1.0.18013.5.1.2")
VALIDITY = mdoc.Validity(NOW, NOW, NOW + 30 * DAY)
ELEMENTS: dict[str, Any] = {
    "legal_person_name": "Sample Kite Trading Limited",
    "legal_person_names": [{"lang": "zh-Hant", "value": "樣本風箏貿易有限公司"}],
    "branches": 3,
    "listed": False,
    "registration_date": cbor.Tagged(cbor.DATE, "2019-10-20"),
}
_serial = itertools.count(1)


class Iaca:
    """A root of a country that certifies document signers."""

    def __init__(self, country: str = "HK", *, days: int = 3650, now: float = NOW) -> None:
        self.country = country
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(country, "Sample IACA")
        builder = _builder(now, self._name, self._name, self._key.public_key(), days)
        builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
        self.certificate = builder.add_extension(_usage(ca=True), critical=True).sign(
            self._key, SHA256()
        )

    def certify(
        self,
        key: ec.EllipticCurvePrivateKey,
        *,
        country: str | None = None,
        days: int = 90,
        before_days: int = 1,
        usage: x509.ObjectIdentifier | None = DOCUMENT_SIGNER,
        ca: bool = False,
        critical: x509.ExtensionType | None = None,
        issuer: str = ISSUER,
    ) -> x509.Certificate:
        """A document signer's certificate, or one that is none."""
        subject = _name(country or self.country, "Sample document signer")
        builder = _builder(self._now, subject, self._name, key.public_key(), days, before_days)
        builder = builder.add_extension(_usage(ca=ca), critical=True)
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(issuer)])
        builder = builder.add_extension(names, critical=False)
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        if critical is not None:
            builder = builder.add_extension(critical, critical=True)
        return builder.sign(self._key, SHA256())

    def signer(self, **changes: Any) -> LocalSigner:
        """A document signer with its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        return with_certificate(key, self.certify(key, **changes))


def with_certificate(key: ec.EllipticCurvePrivateKey, *chain: x509.Certificate) -> LocalSigner:
    x5c = tuple(base64.b64encode(der(one)).decode("ascii") for one in chain)
    return LocalSigner(key, "document-signer", "ES256", x5c)


def device() -> LocalSigner:
    """A wallet's key."""
    return LocalSigner(ec.generate_private_key(ec.SECP256R1()), "device", "ES256")


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


async def issued(signer: LocalSigner, holder: LocalSigner, **changes: Any) -> bytes:
    """An mdoc of ours, encoded."""
    arguments: dict[str, Any] = {
        "doc_type": DOC_TYPE,
        "device_jwk": holder.public_jwk,
        "validity": VALIDITY,
        "random": counting(),
        "status": {"status_list": {"idx": 7, "uri": "https://id.example/status/1"}},
        **changes,
    }
    namespaces = arguments.pop("namespaces", {DOC_TYPE: ELEMENTS})
    return (await mdoc.issue(signer, namespaces, **arguments)).issuer_signed


def counting() -> Any:
    """Bytes that differ at each call, the same in each run."""
    calls = itertools.count()

    def take(count: int) -> bytes:
        seed = next(calls).to_bytes(8, "big")
        blocks = (sha256(seed + bytes([n])).digest() for n in range(count // 32 + 1))
        return b"".join(blocks)[:count]

    return take


async def forged(
    signer: LocalSigner,
    holder: LocalSigner,
    *,
    security: Mapping[str, Any] | None = None,
    items: Mapping[str, Any] | None = None,
    leave_out: str | None = None,
    unprotected: Mapping[int, Any] | None = None,
) -> bytes:
    """A correctly signed IssuerSigned whose security object has these members instead."""
    item = cbor.embed(
        cbor.encode(
            {"digestID": 0, "random": bytes(16), "elementIdentifier": "a", "elementValue": 1}
        )
    )
    whole = {
        "version": "1.0",
        "digestAlgorithm": "SHA-256",
        "valueDigests": {DOC_TYPE: {0: sha256(cbor.encode(item)).digest()}},
        "deviceKeyInfo": {"deviceKey": cose.cose_key(holder.public_jwk)},
        "docType": DOC_TYPE,
        "validityInfo": validity(),
        **(security or {}),
    }
    whole.pop(leave_out or "", None)
    payload = cbor.encode(cbor.embed(cbor.encode(whole)))
    chain = {cose.X5CHAIN: base64.b64decode(signer.x5c[0])} if unprotected is None else unprotected
    auth = await cose.sign1(signer, payload, unprotected=chain)
    shown = {DOC_TYPE: [item]} if items is None else items
    return cbor.encode({"nameSpaces": shown, "issuerAuth": auth})


def validity(**changes: Any) -> dict[str, Any]:
    made = {
        "signed": date_time(NOW),
        "validFrom": date_time(NOW),
        "validUntil": date_time(NOW + DAY),
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


async def shown(
    issuer_signed: bytes,
    holder: LocalSigner,
    transcript: bytes,
    *,
    doc_type: str = DOC_TYPE,
    only: frozenset[str] | None = None,
    said: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
) -> bytes:
    """A DeviceResponse with this mdoc: all its elements, or `only` some."""
    signed = cbor.decode(issuer_signed)
    if only is not None:
        signed["nameSpaces"] = {
            namespace: [
                item for item in items if cbor.decode(item.value)["elementIdentifier"] in only
            ]
            for namespace, items in signed["nameSpaces"].items()
        }
    namespaces = cbor.encode(said or {})
    covered = mdoc.device_authentication(transcript, doc_type, namespaces)
    signature = await cose.sign1(holder, covered, detached=True)
    document = {
        "docType": doc_type,
        "issuerSigned": signed,
        "deviceSigned": {
            "nameSpaces": cbor.embed(namespaces),
            "deviceAuth": {"deviceSignature": signature},
        },
    }
    return cbor.encode({"version": "1.0", "documents": [document], "status": 0, **(response or {})})


def verified(data: bytes, iaca: Iaca, **changes: Any) -> mdoc.VerifiedMdoc:
    """The verdict on an IssuerSigned at NOW."""
    arguments: dict[str, Any] = {"now": NOW, "doc_type": DOC_TYPE, **changes}
    return mdoc.verify(mdoc.parse_issuer_signed(data), [iaca.certificate], **arguments)


def members(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    return public_members(key.public_key())


def _name(country: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    now: float,
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    days: int,
    before_days: int = 1,
) -> x509.CertificateBuilder:
    instant = datetime.fromtimestamp(int(now), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(next(_serial))
        .not_valid_before(instant - timedelta(days=before_days))
        .not_valid_after(instant + timedelta(days=days))
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def transcript(nonce: str = "nonce-0123456789") -> bytes:
    """Of a request by redirects to a sample bank."""
    return mdoc.openid4vp_transcript(
        client_id="x509_san_dns:bank.example",
        nonce=nonce,
        response_uri="https://bank.example/response",
        jwk_thumbprint=None,
    )
