"""The results of a bulk issuance, line by line, for the operator alone (mode 0600)."""

import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from corpid.cli.output import CommandError


class ResultFile:
    """JSON lines: the first names the batch, each of the others is the result of one line.

    ``last_line`` is the last line of the batch whose result is in it. A line that was not written
    whole, because the run before died in it, is cut off.
    """

    def __init__(self, descriptor: int, path: Path, batch_id: str) -> None:
        self._descriptor = descriptor
        self._path = path
        self.last_line = 0
        head = _line({"batch": batch_id})
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            end = self._read(stream, head)
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        if not end:
            self._write(head)

    def add(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Write them; they are on the disk when this returns.

        Raises:
            CommandError: they cannot be written.
        """
        self._write(b"".join(_line(one) for one in results))

    def _write(self, left: bytes) -> None:
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise _unwritable(self._path, error) from None

    def _read(self, stream: BinaryIO, head: bytes) -> int:
        """The end of what is whole: 0 where not even the first line is."""
        found = stream.readline(len(head))
        if not head.startswith(found):
            raise CommandError(
                "other_results", f"{self._path} has something else than this batch's results"
            )
        if found != head:
            return 0
        end = len(head)
        for line in stream:
            if not line.endswith(b"\n"):
                break
            self.last_line = self._line_of(line)
            end += len(line)
        return end

    def _line_of(self, result: bytes) -> int:
        """Which line of the batch this is the result of."""
        try:
            line = orjson.loads(result)["line"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            line = None
        if not isinstance(line, int) or line <= self.last_line:
            raise CommandError(
                "other_results",
                f"{self._path} is damaged after the result of line {self.last_line}",
            )
        return line


@contextmanager
def one_result(path: Path) -> Iterator[Callable[[str], None]]:
    """What writes one credential into a new file, made before it is issued and removed without it.

    Raises:
        CommandError: it cannot be made or written, or is there already.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "w") as stream:
            yield lambda text: print(text, file=stream)
    except OSError as error:
        path.unlink()
        raise _unwritable(path, error) from None
    except BaseException:
        path.unlink()
        raise


@contextmanager
def results(path: Path, batch_id: str) -> Iterator[ResultFile]:
    """Open the file, or make it; no other run has it meanwhile.

    Raises:
        CommandError: it cannot be written, or is of something else, or another run writes to it.
    """
    try:
        # Not to wait for the other end where it is a pipe.
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CommandError("unwritable_file", f"{path} is no file")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError("file_in_use", f"another run writes to {path}") from None
        found = ResultFile(descriptor, path, batch_id)
        try:
            os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise _unwritable(path, error) from None
        yield found
    finally:
        os.close(descriptor)


def _line(result: Mapping[str, Any]) -> bytes:
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _unwritable(path: Path, error: OSError) -> CommandError:
    return CommandError("unwritable_file", f"{path} cannot be written: {error.strerror}")
