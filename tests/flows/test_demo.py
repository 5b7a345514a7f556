"""`make demo` as a program: its exit status, its account, and the refusals that it asserts."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.service_process import ROOT

REFUSALS = (
    "invalid_value",
    "unknown_state",
    "not_allowed",
    "invalid_grant",
    "key_binding_invalid",
    "credential_revoked",
)


@pytest.mark.timeout(180)
def test_the_demo_tells_the_whole_story_and_ends_with_0(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--build", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for code in REFUSALS:
        assert f"-> {code}" in done.stdout, done.stdout
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("Done:")
    assert " ms" in done.stdout, "step by step with timings"
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"
