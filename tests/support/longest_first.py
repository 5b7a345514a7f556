"""Beside other workers the longest files begin, so that none of them is left over at the end.

The rest comes in the order that chance gave it, and so does everything without workers.
"""

import os

import pytest

LONGEST = (
    "tests/faults/test_kill_postgresql.py",
    "tests/faults/test_kill.py",
    "tests/faults/test_stopping.py",
    "tests/faults/test_refusals_to_start.py",
    "tests/faults/test_logout_survives.py",
    "tests/flows/test_demo.py",
    "tests/faults/test_two_processes.py",
    "tests/flows/test_run.py",
    "tests/packaging/test_wheel.py",
    "tests/registers/test_file.py",
    "tests/bench/test_bench.py",
    "tests/browser/",
    "tests/storage/test_register_memory.py",
    "tests/oidc/registration/test_registration_rules.py",
    "tests/cli/test_client.py",
    "tests/faults/",
    "tests/oidc/conformance/",
)
"""Files and folders; `--durations 100` shows what belongs here."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    ranks = (rank for rank, name in enumerate(LONGEST) if nodeid.startswith(name))
    return next(ranks, len(LONGEST))
