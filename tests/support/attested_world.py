"""A server that trusts two wallet providers, and what an attested wallet of one of them sends."""

from collections.abc import Sequence
from typing import Any

from keys.signer import LocalSigner, generate
from oidc.attestation_status import AttestationStatuses
from tests.support.asgi import Answer
from tests.support.attesting import TableAttesters, WalletProvider, proof_of_possession
from tests.support.provider_world import API, ISSUER, NOW, World, client

PROVIDER = WalletProvider(NOW)
OTHER = WalletProvider(NOW, "Other Wallet Provider")
INSTANCE, ANOTHER = generate("ES256"), generate("ES256")
MACHINE = {"grant_type": "client_credentials", "resource": API}
WALLET = "wallet"
DPOP_WALLET = "dpop-wallet"
Header = tuple[bytes, bytes]


def attested(statuses: AttestationStatuses | None = None, **config: Any) -> World:
    """A server with a wallet of one provider, and a trusted other provider."""
    trusted = TableAttesters(PROVIDER.trusted("sample"), OTHER.trusted("other"), statuses=statuses)
    world = World(attesters=trusted, attestation=True, **config)
    for client_id, method in (
        (WALLET, "attest_jwt_client_auth"),
        (DPOP_WALLET, "attest_jwt_client_auth_dpop"),
    ):
        world.tables.clients[client_id] = client(
            client_id,
            token_endpoint_auth_method=method,
            jwks=None,
            wallet_provider="sample",
        )
    return world


def attestation_header(compact: str) -> Header:
    return b"oauth-client-attestation", compact.encode()


def pop_header(compact: str) -> Header:
    return b"oauth-client-attestation-pop", compact.encode()


async def headers(
    world: World,
    *,
    instance: LocalSigner = INSTANCE,
    pop_signer: LocalSigner | None = None,
    attestation: dict[str, Any] | None = None,
    pop: dict[str, Any] | None = None,
) -> list[Header]:
    """What an honest wallet sends, with changes."""
    changed = {"client_id": WALLET, "instance": instance, **(attestation or {})}
    shown = await PROVIDER.wallet_attestation(**changed)
    options: dict[str, Any] = {"audience": ISSUER, "iss": WALLET, **(pop or {})}
    proof = await proof_of_possession(pop_signer or instance, now=world.now, **options)
    return [attestation_header(shown), pop_header(proof)]


async def ask(world: World, given: Sequence[Header], **form: str) -> Answer:
    return await world.token(None, {**MACHINE, **form}, *given)


def refused(answer: Answer, code: str, words: str = "") -> None:
    assert (answer.status, answer.error) == (401, code), answer.body
    assert words in answer.json["error_description"]
