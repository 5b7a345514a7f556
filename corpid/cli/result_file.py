"""The results of a bulk issuance, line by line, for the operator alone (mode 0600)."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corpid.cli.output import CommandError


class ResultFile:
    """JSON lines: the first names the batch, each of the others is the result of one line.

    ``last_line`` is the last line of the batch whose result is in it. A line that was not written
    whole, because the run before died in it, is cut off.
    """

    def __init__(self, descriptor: int, path: Path, batch_id: str) -> None:
        self._descriptor = descriptor
        self.last_line = 0
        end = self._read(path, batch_id)
        if end is None:
            self._write([{"batch": batch_id}])
        else:
            os.ftruncate(descriptor, end)
            os.lseek(descriptor, end, os.SEEK_SET)

    def add(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Write them; they are on the disk when this returns."""
        self._write(results)

    def _write(self, results: Sequence[Mapping[str, Any]]) -> None:
        left = b"".join(
            json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            for one in results
        )
        while left:
            left = left[os.write(self._descriptor, left) :]
        os.fsync(self._descriptor)

    def _read(self, path: Path, batch_id: str) -> int | None:
        """The end of what is whole; None where the file is empty."""
        end = 0
        with path.open("rb") as stream:
            for number, line in enumerate(stream):
                if not line.endswith(b"\n"):
                    break
                try:
                    result = json.loads(line)
                    if number:
                        self.last_line = int(result["line"])
                except (ValueError, TypeError, KeyError):
                    result = None
                if result is None or (number == 0 and result != {"batch": batch_id}):
                    raise CommandError(
                        "other_results", f"{path} has something else than this batch's results"
                    )
                end += len(line)
        return end or None


@contextmanager
def one_result(path: Path) -> Iterator[Callable[[str], None]]:
    """What writes one credential into a new file, made before it is issued and removed without it.

    Raises:
        CommandError: it cannot be made, or is there already.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "w") as stream:
            yield lambda text: print(text, file=stream)
    except BaseException:
        path.unlink()
        raise


def _unwritable(path: Path, error: OSError) -> CommandError:
    return CommandError("unwritable_file", f"{path} cannot be written: {error.strerror}")


@contextmanager
def results(path: Path, batch_id: str) -> Iterator[ResultFile]:
    """Open the file, or make it.

    Raises:
        CommandError: it cannot be written, or is of something else.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        yield ResultFile(descriptor, path, batch_id)
    finally:
        os.close(descriptor)
