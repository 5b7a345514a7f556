import pytest

from keys.jwk import JwkSet, parse_public
from keys.signer import LocalSigner, generate


@pytest.fixture(scope="session")
def issuer() -> LocalSigner:
    return generate("ES256")


@pytest.fixture(scope="session")
def holder() -> LocalSigner:
    return generate("ES256")


@pytest.fixture(scope="session")
def issuer_keys(issuer: LocalSigner) -> JwkSet:
    return JwkSet([parse_public(issuer.public_jwk)])
