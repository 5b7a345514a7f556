import pytest

from tests.support.browsing import browser, cast, live, party, window, windows
from tests.support.live_service import live_services

__all__ = ["browser", "cast", "live", "live_services", "party", "window", "windows"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all of them, because one browser serves them all."""
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
