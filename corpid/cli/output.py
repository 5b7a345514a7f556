"""What a command prints: one JSON document for programs, tables for people, messages aside.

The document or the tables go to standard output, everything else to standard error.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from corpid.errors import ServiceError

OK: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
UNDETERMINED: Final = 3
NOT_FOUND: Final = 4
UNAVAILABLE: Final = 5

_WIDE: Final = 200
"""Columns where the output is no terminal: nothing is folded that a program may read."""


class CommandError(ServiceError):
    """The command cannot be done; ``code`` is stable, the message says what to do."""

    def __init__(self, code: str, message: str, exit_code: int = REFUSED) -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with values, one a line; a value of None is left out."""

    rows: Sequence[tuple[str, object]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column heads; ``empty`` is said where there is none."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""
    empty: str = "none"


@dataclass(frozen=True, slots=True)
class Plain:
    """Text that is printed as it is: links, codes, QR codes."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a command. ``document`` is what ``--json`` prints."""

    document: Any
    shown: Sequence[Facts | Table | Plain] = ()
    notes: Sequence[str] = ()
    exit_code: int = OK


def emit(answer: Answer, *, as_json: bool) -> None:
    """Print an answer."""
    if as_json:
        emit_json(answer.document)
    elif answer.shown:
        _emit_tables(answer.shown)
    for note in answer.notes:
        say(note)


def emit_json(document: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def emit_error(code: str, message: str, *, as_json: bool) -> None:
    """Say why a command was refused."""
    if as_json:
        emit_json({"error": code, "message": message})
    say(f"corpid: {message}")


def say(message: str) -> None:
    """A message for the person at the terminal."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def printable(value: object) -> str:
    """Text that cannot steer a terminal: a register's names are other people's input."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(printable(one) for one in value)
    return "".join(
        one if unicodedata.category(one) not in ("Cc", "Cf") else "\N{REPLACEMENT CHARACTER}"
        for one in str(value)
    )


def _emit_tables(shown: Iterable[Facts | Table | Plain]) -> None:
    from rich.console import Console

    console = Console(
        file=sys.stdout,
        width=None if sys.stdout.isatty() else _WIDE,
        highlight=False,
        emoji=False,
        markup=False,
    )
    for number, part in enumerate(shown):
        if number:
            console.print()
        if isinstance(part, Plain):
            sys.stdout.write(part.text + "\n")
            continue
        if part.title:
            console.print(printable(part.title), style="bold")
        console.print(_facts(part) if isinstance(part, Facts) else _table(part))
    sys.stdout.flush()


def _facts(facts: Facts) -> Any:
    from rich.table import Table as RichTable

    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.rows:
        if value is not None and value not in ("", ()):
            grid.add_row(name, printable(value))
    return grid


def _table(table: Table) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable

    if not table.rows:
        return table.empty
    drawn = RichTable(box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        drawn.add_column(column, overflow="fold")
    for row in table.rows:
        drawn.add_row(*(printable(value) for value in row))
    return drawn
