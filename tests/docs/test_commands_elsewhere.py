"""Commands that no test of the documents can run are shown to work by other tests.

``console`` blocks are run (test_operator_guide, test_relying_party_guide); every line of an ``sh``
block stands in the table here.
"""

import re

import pytest

from tests.docs.reading import Document, documents
from tools.source_tree import ROOT

WHEEL, COMPOSE = "tests/packaging/test_wheel.py", "tests/packaging/test_compose.py"
SUITE = "tests/docs/test_conformance_tools.py"
SHOWN_BY = {
    "python3 -m venv /srv/corpid": WHEEL,
    "/srv/corpid/bin/pip install --require-hashes -r deploy/requirements.lock": COMPOSE,
    "/srv/corpid/bin/pip install --no-deps corpid-*.whl": WHEEL,
    "python3 deploy/make_secrets.py": COMPOSE,
    "docker compose run --rm migrate corpid init": COMPOSE,
    "docker compose up --build": COMPOSE,
    "python -m tools.conformance.prepare --suite https://suite.example:8443 "
    "--folder conformance": SUITE,
    "python -m tools.conformance --suite https://suite.example:8443 "
    "--people conformance/people.json --configuration conformance/corpid-basic.json "
    "--plan oidcc-basic-certification-test-plan --variant server_metadata=discovery "
    "--variant client_registration=static_client --results basic.json": SUITE,
}
# Languages that a test does something with, or that no test has to: diagrams and trees have none.
KNOWN = {"", "console", "csv", "http", "json", "python", "sh"}
RUN = {"docs/guide-operator.md", "docs/guide-relying-party.md"}
ELSEWHERE = {"docs/cli.md", "docs/guide-requests.md"}  # tests/cli, test_requests_guide

ALL = documents()
each = pytest.mark.parametrize("document", ALL, ids=[one.name for one in ALL])


@each
def test_every_command_is_shown_to_work(document: Document) -> None:
    for block in document.blocks:
        if block.language != "sh":
            continue
        for line in block.text.splitlines():
            target = re.fullmatch(r"make ([a-z]+)", line)
            if target is not None:
                assert f"\n{target[1]}: " in (ROOT / "Makefile").read_text("utf-8")
            else:
                assert (ROOT / SHOWN_BY[line]).exists(), f"{document.name}: {line}"


@each
def test_what_has_to_be_run_is_run(document: Document) -> None:
    languages = {block.language for block in document.blocks}
    if document.name in ELSEWHERE:
        return
    assert languages <= KNOWN, document.name
    if document.name not in RUN:
        assert not languages & {"console", "http", "python"}, f"{document.name}: nothing runs it"


def test_every_block_that_is_to_be_compared_says_with_what() -> None:
    for name in RUN:
        for block in Document(name).blocks:
            assert block.language != "json" or block.check, f"{name}:{block.line}"
