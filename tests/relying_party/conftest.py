import pytest

from tests.support.relying_world import World


@pytest.fixture
def world() -> World:
    return World()
