"""How far a long command has come: a bar on standard error, where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from corpid.cli.output import CommandError

_BLOCK: Final = 1 << 20
Show = Callable[[int, str], None]


@contextmanager
def progress_bar(total: int | None) -> Iterator[Show]:
    """What shows how many of ``total`` are done, and a text; ``total`` is None if nobody knows."""
    if not sys.stderr.isatty():
        yield lambda _done, _text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("0 rows", total=total)
        yield lambda done, text: bar.update(task, completed=done, description=text)


def count_lines(file: Path) -> int:
    """The lines of a file, for the bar.

    Raises:
        CommandError: it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return sum(block.count(b"\n") for block in iter(lambda: stream.read(_BLOCK), b""))
    except OSError as error:
        raise CommandError("unreadable_file", f"{file} cannot be read: {error.strerror}") from None
