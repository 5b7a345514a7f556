"""Mobile documents: issuer, elements, device, and only then status."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from cryptography import x509

from corpid.relying_party import errors
from corpid.relying_party.mandates import mandates_of
from corpid.relying_party.policy import Policy
from corpid.relying_party.representatives import representative_mandate
from corpid.relying_party.results import VerifiedCredential
from corpid.relying_party.status_check import StatusCheck
from corpid.relying_party.translation import translating
from corpid.relying_party.trust import Trust
from keys import base64url
from keys.certificates import is_named
from keys.clock import Clock
from keys.errors import KeysError
from oidc.formats import mdoc
from oidc.formats.errors import FormatsError
from oidc.formats.mdoc_errors import DeviceAuthenticationMissing

MAX_BYTES: Final = 512 * 1024
_AUTHORITY: Final = "authority"


class MdocVerifier:
    """Verifies mdocs of trusted issuers, under IACA roots among the trust anchors.

    An mdoc names no issuer: it is whom the document signer's certificate names, and the same one's
    keys sign the status list.
    """

    def __init__(
        self,
        issuers: frozenset[str],
        trust: Trust,
        status: StatusCheck,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._issuers = issuers
        self._trust = trust
        self._status = status
        self._clock = clock
        self._policy = policy

    async def verify(
        self,
        document: bytes | str,
        *,
        session_transcript: bytes | None,
        types: Collection[str] | None,
        check_status: bool,
        at: float | None,
    ) -> VerifiedCredential:
        """See RelyingParty.verify_mdoc."""
        with translating():
            issuer_signed, presented = _parsed(encoded(document))
        # 1. A document signer of one of the roots signed it, for every element that is shown; it is
        #    in force.
        with translating():
            found = mdoc.verify(
                issuer_signed,
                self._trust.anchors,
                now=self._clock() if at is None else at,
                doc_type=None if presented is None else presented.doc_type,
                algs=self._policy.algorithms,
                leeway=self._policy.leeway,
            )
        issuer = self._issuer(found.signer.certificate)
        # 2. The type that was asked for.
        if types is not None and found.doc_type not in types:
            raise errors.CredentialTypeUnexpected
        # 3. Shown by the device that it is bound to, in this session.
        if session_transcript is not None:
            self._check_device(presented, found, session_transcript)
        claims = _claims(found)
        mandates = mandates_of(claims) or representative_mandate(claims, found.status)
        # 4. Not revoked or suspended; last, as of every credential.
        status, code = await self._status.credential(
            found.status, issuer, wanted=check_status, at=at
        )
        return VerifiedCredential(
            type=found.doc_type,
            issuer=issuer,
            claims=claims,
            holder_thumbprint=found.device_key.thumbprint,
            holder_proven=session_transcript is not None,
            status=status,
            undetermined_code=code,
            valid_from=found.validity.valid_from,
            valid_until=found.validity.valid_until,
            mandates=mandates,
            format="mso_mdoc",
        )

    def _issuer(self, signer: x509.Certificate) -> str:
        for issuer in sorted(self._issuers):
            if is_named(signer, issuer):
                return issuer
        raise errors.CertificateChainInvalid("name")

    def _check_device(
        self,
        presented: mdoc.UnverifiedDocument | None,
        found: mdoc.VerifiedMdoc,
        session_transcript: bytes,
    ) -> None:
        if presented is None:
            raise errors.KeyBindingMissing
        try:
            mdoc.verify_device(presented, found, session_transcript, algs=self._policy.algorithms)
        except DeviceAuthenticationMissing as error:
            raise errors.KeyBindingMissing from error
        except (KeysError, FormatsError) as error:
            raise errors.KeyBindingInvalid(error.code) from error


def encoded(document: bytes | str) -> bytes:
    """Return an mdoc's bytes, which OpenID4VCI and OpenID4VP have in base64url.

    Raises CredentialMalformed.
    """
    if len(document) > MAX_BYTES:
        raise errors.CredentialMalformed("cbor_too_large")
    if isinstance(document, bytes):
        return document
    try:
        return base64url.decode(document)
    except KeysError as error:
        raise errors.CredentialMalformed(error.code) from error


def is_mdoc(text: str) -> bool:
    """Whether a text is an mdoc in base64url: issued, or presented."""
    try:
        _parsed(encoded(text))
    except (errors.CredentialMalformed, FormatsError):
        return False
    return True


def _parsed(
    data: bytes,
) -> tuple[mdoc.UnverifiedIssuerSigned, mdoc.UnverifiedDocument | None]:
    """A DeviceResponse with one document, or an IssuerSigned."""
    if not mdoc.is_device_response(data):
        return mdoc.parse_issuer_signed(data), None
    documents = mdoc.parse_device_response(data)
    if len(documents) != 1:  # OpenID4VC HAIP 1.0, 5.3.1: one document in each response
        raise errors.CredentialMalformed("several_documents")
    return documents[0].issuer_signed, documents[0]


def _claims(found: mdoc.VerifiedMdoc) -> Mapping[str, Any]:
    """The elements of the namespace that is named as the type; other namespaces by their names.

    What Corp ID says of an authority stands in one element, so that no part of it can be withheld;
    here it is among the other claims, as in every format.
    """
    others = {name: one for name, one in found.namespaces.items() if name != found.doc_type}
    own: dict[str, Any] = dict(found.namespaces.get(found.doc_type, {}))
    authority = own.pop(_AUTHORITY, {})
    if not isinstance(authority, Mapping) or not authority.keys().isdisjoint(own):
        raise errors.ClaimInvalid(_AUTHORITY)
    return {**others, **own, **authority}
