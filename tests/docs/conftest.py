"""One temporary service for each document that is run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.site import DocumentSite


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DocumentSite]:
    monkeypatch.chdir(tmp_path)
    made = DocumentSite(tmp_path)
    yield made
    made.close()
