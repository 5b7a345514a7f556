"""Which keys a request's credentials will be bound to: by its proofs, its attestation, or both."""

from keys.jwk import PublicKey
from oidc.attesters import Attesters
from oidc.errors import InvalidProof
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.context import Issuer
from oidc.issuer.credential_request import ATTESTATION, Proofs
from oidc.issuer.key_attestation import KeyAttestation, check_key_attestation
from oidc.issuer.proofs import KeyProof, check_proof


async def check_holders(
    proofs: Proofs,
    configuration: CredentialConfiguration,
    issuer: Issuer,
    client_id: str,
    now: float,
) -> tuple[PublicKey, ...]:
    """The holder's keys, each once, in the order in which they get credentials.

    First those of the jwt proofs, then what their attestations name besides (F.1); there may be
    more of them than the issuer makes credentials for in one request.

    Raises:
        InvalidProof: a proof or attestation is not acceptable, or an attestation is missing.
        InvalidNonce: a c_nonce is not ours, or is stale.
    """
    if proofs.proof_type == ATTESTATION:
        assert issuer.attesters is not None  # without, the type is not supported
        (compact,) = proofs.values
        found = await _attestation(compact, configuration, issuer, issuer.attesters, now, False)
        return found.keys
    checked = [
        check_proof(
            one,
            issuer=issuer.config.issuer,
            client_id=client_id,
            nonces=issuer.credential_nonces,
            now=now,
        )
        for one in proofs.values
    ]
    holders = {one.key.thumbprint: one.key for one in checked}
    if len(holders) < len(checked):
        raise InvalidProof("two proofs are of the same key")
    if issuer.attesters is not None:
        for one in checked:
            for key in await _attested(one, configuration, issuer, issuer.attesters, now):
                holders.setdefault(key.thumbprint, key)
    return tuple(holders.values())


async def _attested(
    proof: KeyProof,
    configuration: CredentialConfiguration,
    issuer: Issuer,
    trusted: Attesters,
    now: float,
) -> tuple[PublicKey, ...]:
    """The keys that a proof's attestation names, the proof's among them."""
    compact = proof.key_attestation
    if compact is None:
        if configuration.key_attestation is not None:
            raise InvalidProof(
                "this credential needs a key attestation: in the key_attestation header of the "
                "jwt proof, or as a proof of the type attestation"
            )
        return ()
    if not isinstance(compact, str):
        raise InvalidProof("key_attestation in the header of the jwt proof is not a compact JWT")
    found = await _attestation(compact, configuration, issuer, trusted, now, True)
    if not found.attests(proof.key):
        # D.1: else any attested key would do for a proof with one that is not.
        raise InvalidProof("the key of the jwt proof is not among the attested keys")
    return found.keys


async def _attestation(
    compact: str,
    configuration: CredentialConfiguration,
    issuer: Issuer,
    trusted: Attesters,
    now: float,
    expires: bool,
) -> KeyAttestation:
    return await check_key_attestation(
        compact,
        trusted,
        nonces=issuer.credential_nonces,
        now=now,
        need=configuration.key_attestation,
        expires=expires,
        x5c_only=issuer.config.haip,  # HAIP 4.5.1
    )
