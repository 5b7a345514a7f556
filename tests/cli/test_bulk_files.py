"""Files of bulk commands that are not as they should be: no traceback, nothing lost."""

import os
from io import StringIO
from pathlib import Path

import pytest

from corpid.cli.output import CommandError
from corpid.cli.result_file import one_result, results
from tests.cli.test_bulk_issue import issue, results_of, row, written
from tests.support.cli import Cli, add_director, add_person

BATCH = "b" * 64
HEAD = b'{"batch":"' + BATCH.encode() + b'"}\n'


def test_a_line_that_no_database_takes_does_not_stop_the_others(any_cli: Cli) -> None:
    cli = any_cli
    add_person(cli)
    add_director(cli)
    bad = [
        row(person="a\0b"),
        row(person="\ud800"),
        row(authority="\0"),
        row(branch="\ud800", type="branch"),
    ]
    done = issue(cli, written(cli, [row(), *bad, row()]))
    assert (done["issued"], done["refused"]) == (2, 4)
    assert [one["line"] for one in results_of(cli.folder / "results")] == [1, 2, 3, 4, 5, 6]
    ids = cli.folder / "ids.jsonl"
    ids.write_text('{"credential_id": "a\\u0000"}\n{"credential_id": "\\ud800"}\n')
    revoked = cli.json("credential", "revoke", "--from", str(ids), "--yes")
    assert [one["line"] for one in revoked["problems"]] == [1, 2]


def test_a_file_that_is_not_there_is_told(cli: Cli) -> None:
    nothing = str(cli.folder / "nothing")
    for words in (("issue", nothing), ("revoke", "--from", nothing)):
        assert cli.refused("credential", *words, "--yes")[1] == "unreadable_file"


@pytest.mark.parametrize("content", [b"precious", b'{"batch":"other"}', HEAD[:-1] + b" more"])
def test_what_is_no_beginning_of_these_results_is_left_as_it_was(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "results"
    path.write_bytes(content)
    path.chmod(0o644)
    with pytest.raises(CommandError, match="something else"), results(path, BATCH):
        pass
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("kept", [b"", HEAD[:20], HEAD[:-1]])
def test_a_first_line_that_was_not_written_whole_is_written_again(
    tmp_path: Path, kept: bytes
) -> None:
    path = tmp_path / "results"
    path.write_bytes(kept)
    with results(path, BATCH) as found:
        found.add([{"line": 1}])
    assert path.read_bytes() == HEAD + b'{"line":1}\n'


@pytest.mark.parametrize(
    "line", [b"no json", b"[]", b"{}", b'{"line":"2"}', b'{"line":1}', b"\xff", b"[" * 9999]
)
def test_damaged_results_are_told_and_left(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "results"
    path.write_bytes(HEAD + b'{"line":1}\n' + line + b"\n")
    before = path.read_bytes()
    with pytest.raises(CommandError, match="after the result of line 1"), results(path, BATCH):
        pass
    assert path.read_bytes() == before


def test_two_runs_do_not_write_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / "results"
    second = results(path, BATCH)
    with results(path, BATCH), pytest.raises(CommandError, match="another run"), second:
        pass


def test_results_go_into_a_file_alone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "."):
        with pytest.raises(CommandError) as refused, results(tmp_path / name, BATCH):
            pass
        assert refused.value.code == "unwritable_file"
    assert not (tmp_path / "elsewhere").exists()


def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int, __: bytes) -> int:
        raise OSError(28, "No space left on device")

    with results(tmp_path / "results", BATCH) as found:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(CommandError, match="No space left"):
            found.add([{"line": 1}])


def test_so_it_is_for_the_file_of_one_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(StringIO):
        def close(self) -> None:
            raise OSError(28, "No space left on device")

    def opened(descriptor: int, _: str) -> Full:
        os.close(descriptor)
        return Full()

    monkeypatch.setattr(os, "fdopen", opened)
    path = tmp_path / "credential"
    with pytest.raises(CommandError, match="No space left"), one_result(path) as write:
        write("credential")
    assert not path.exists()
