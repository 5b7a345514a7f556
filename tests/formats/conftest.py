import pytest

from keys.jwk import JwkSet, parse_public
from keys.signer import LocalSigner, generate
from tests.support.mdoc_world import Iaca, device


@pytest.fixture(scope="session")
def issuer() -> LocalSigner:
    return generate("ES256")


@pytest.fixture(scope="session")
def holder() -> LocalSigner:
    return generate("ES256")


@pytest.fixture(scope="session")
def issuer_keys(issuer: LocalSigner) -> JwkSet:
    return JwkSet([parse_public(issuer.public_jwk)])


@pytest.fixture(scope="session")
def iaca() -> Iaca:
    return Iaca()


@pytest.fixture(scope="session")
def document_signer(iaca: Iaca) -> LocalSigner:
    return iaca.signer()


@pytest.fixture(scope="session")
def mdoc_holder() -> LocalSigner:
    return device()
