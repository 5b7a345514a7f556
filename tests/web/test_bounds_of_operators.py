"""Bounds that an operator sets reach what keeps them."""

from pathlib import Path

from corpid.wiring.issuing import credential_issuance
from tests.support.pages_world import pages_world


async def test_the_issuer_keeps_the_bound_of_live_credentials(
    tmp_path: Path, database_template: Path
) -> None:
    """What comes of it: tests/issuer/test_live_bound.py."""
    async with pages_world(tmp_path, database_template, credential_live_max=100) as world:
        assert credential_issuance(world.service.foundation)._most_live == 100
