import pytest


@pytest.fixture
def engine() -> str:
    """What a type says does not depend on the database."""
    return "sqlite"
