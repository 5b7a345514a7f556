"""The lock files belong to this pyproject.toml; the check finds each way to break that."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import check_lock
from tools.source_tree import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    for name in ("pyproject.toml", *check_lock.LOCKS):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_locks_are_in_sync() -> None:
    assert list(check_lock.problems(ROOT)) == []


def test_the_order_of_dependencies_and_comments_do_not_matter(copy: Path) -> None:
    text = (copy / "pyproject.toml").read_text()
    moved = text.replace('  "cryptography>=50,<51",\n', "").replace(
        '  "orjson>=3.13,<4",\n', '  "orjson>=3.13,<4", # a comment\n  "cryptography>=50,<51",\n'
    )
    assert moved != text
    (copy / "pyproject.toml").write_text(moved)
    assert list(check_lock.problems(copy)) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("pyproject.toml", lambda text: text.replace("orjson>=3.13", "orjson>=3.12")),
        ("pyproject.toml", lambda text: text.replace('  "segno>=1.6,<2",\n', "")),
        ("requirements.lock", lambda text: text.replace("\norjson==", "\norjson-other==")),
        ("requirements.lock", lambda text: text.replace("\norjson==3", "\norjson==2")),
        ("requirements.lock", lambda text: text + "six==1.0\n"),
        ("requirements.lock", lambda text: text + "--index" + "-url https://host.invalid\n"),
        ("requirements.lock", lambda text: text + "thing @ file:///somewhere/thing.whl\n"),
        ("requirements.lock", lambda text: text + "-r other.txt\n"),
        ("requirements.lock", lambda text: text + "./thing.whl\n"),
        ("deploy/requirements.lock", lambda text: text.replace("\nsegno==1.6", "\nsegno==1.7")),
    ],
)
def test_a_lock_out_of_sync_is_found(copy: Path, name: str, change: Callable[[str], str]) -> None:
    text = (copy / name).read_text()
    assert change(text) != text
    (copy / name).write_text(change(text))
    assert list(check_lock.problems(copy)) != []
