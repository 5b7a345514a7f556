"""Credential issuer metadata (OpenID4VCI 1.0, 12.2): as JSON, and signed for who asks for a JWT.

Served at the well-known path inserted before the issuer's own path (12.2.2).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from oidc.documents import Document
from oidc.errors import OAuthError
from oidc.issuer import encryption
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.context import Issuer, IssuerConfig
from oidc.issuer.encoders import Encoder
from oidc.issuer.proofs import ALGORITHMS
from oidc.issuer.signed_metadata import SignedMetadata, prefers_jwt
from oidc.request import Receive, Scope, Send, header_values, require_method
from oidc.response import send_error

WELL_KNOWN: Final = "/.well-known/openid-credential-issuer"
_SMALLEST_BATCH: Final = 2  # 12.2.4: without the member, one proof a request
_Wanted = Callable[[str], bool]


def well_known_path(issuer: str, name: str) -> str:
    """The path of a well-known document that is *inserted* before the issuer's path."""
    return name + urlsplit(issuer).path.rstrip("/")


def issuer_metadata(issuer: Issuer, language: str | None = None) -> dict[str, Any]:
    """The metadata; with ``language`` only the texts in that language (12.2.2)."""

    def wanted(tag: str) -> bool:
        return language is None or tag == language

    config = issuer.config
    return {
        "credential_issuer": config.issuer,
        "credential_endpoint": config.url("/credential"),
        "nonce_endpoint": config.url("/nonce"),
        "notification_endpoint": config.url("/notification"),
        **_deferred(config),
        **_batch(config),
        **encryption.metadata(config.encryption, issuer.keys),
        "display": _names(config.names, wanted),
        "credential_configurations_supported": {
            name: _configuration(
                configuration,
                issuer.encoders[configuration.format],
                wanted,
                issuer.proof_types,
            )
            for name, configuration in config.configurations.items()
        },
    }


def _deferred(config: IssuerConfig) -> dict[str, Any]:
    if not config.deferred:
        return {}
    return {"deferred_credential_endpoint": config.url("/deferred-credential")}


def _batch(config: IssuerConfig) -> dict[str, Any]:
    if config.batch_size < _SMALLEST_BATCH:
        return {}
    return {"batch_credential_issuance": {"batch_size": config.batch_size}}


def _configuration(
    configuration: CredentialConfiguration,
    encoder: Encoder,
    wanted: _Wanted,
    proof_types: Sequence[str],
) -> dict[str, Any]:
    description = configuration.description
    proof: dict[str, Any] = {"proof_signing_alg_values_supported": sorted(ALGORITHMS)}
    if configuration.key_attestation is not None:
        proof["key_attestations_required"] = configuration.key_attestation.document()
    return {
        "format": configuration.format,
        **encoder.metadata(description),
        "scope": configuration.scope,
        "cryptographic_binding_methods_supported": list(configuration.binding_methods),
        "proof_types_supported": dict.fromkeys(proof_types, proof),
        "credential_metadata": {
            "display": [
                {"name": name, "locale": tag, "description": description.descriptions[tag]}
                for tag, name in description.names.items()
                if wanted(tag)
            ],
            "claims": [
                {
                    "path": list(encoder.path(description, claim.path)),
                    "mandatory": claim.mandatory,
                    "display": _names(claim.labels, wanted),
                }
                for claim in description.claims
            ],
        },
    }


def _names(names: Mapping[str, str], wanted: _Wanted) -> list[dict[str, str]]:
    return [{"name": name, "locale": tag} for tag, name in names.items() if wanted(tag)]


class MetadataEndpoint:
    """GET: the metadata, in the language of Accept-Language or, without one, in all of them."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._choose = issuer.config.choose_language
        self._shown = self._shows()
        self._write()

    def _shows(self) -> tuple[object, ...]:
        """What of the documents changes with the keys: those that wallets encrypt to, and which
        credentials can be signed.
        """
        issuer = self._issuer
        return (issuer.keys.encryption_jwks(), *issuer.config.configurations)

    def _write(self) -> None:
        issuer = self._issuer
        self._signed = SignedMetadata(issuer)  # of these documents
        self._every = Document(issuer_metadata(issuer))
        self._by_language = {
            tag: Document(issuer_metadata(issuer, tag), tag) for tag in issuer.config.names
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET", "HEAD")
        except OAuthError as error:
            await send_error(send, error)
            return
        shows = self._shows()
        if shows != self._shown:
            self._shown = shows
            self._write()
        document = self._every
        preferences = header_values(scope, b"accept-language")
        if preferences:
            tag = self._choose(b",".join(preferences).decode("latin-1"))
            document = self._by_language.get(tag, self._every)
        if prefers_jwt(header_values(scope, b"accept")):
            document = await self._signed.of(document)
        await document.send(scope, send, vary=b"Accept, Accept-Language")
