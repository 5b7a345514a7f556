"""What every command has: its common options, settings, the store when it needs it, its errors.

Commands are coroutines that take a ``Run`` first and return an ``Answer``. Nothing heavy is
imported before a command needs it, so that ``--help`` answers at once.
"""

import asyncio
import getpass
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Final, ParamSpec

import typer

from corpid.cli.output import (
    NOT_FOUND,
    REFUSED,
    UNAVAILABLE,
    Answer,
    CommandError,
    emit,
    emit_error,
    say,
)
from corpid.domain.errors import DomainError, NotFound
from corpid.errors import ConfigurationError, ServiceError

if TYPE_CHECKING:
    from corpid.settings import Settings
    from corpid.wiring.foundation import Foundation

P = ParamSpec("P")
_COMMON: Final = ("as_json", "operator", "env_file")
EXAMPLES: Final[dict[str, str]] = {}
"""An example of every command, by its words: documentation and tests are made from it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command. ``actor`` is how the audit trail names who ran it."""

    as_json: bool
    actor: str
    env_file: Path | None

    def settings(self) -> "Settings":
        """The settings.

        Raises:
            ConfigurationError: one is missing or wrong.
        """
        return load_settings(self.env_file)

    @asynccontextmanager
    async def foundation(self) -> AsyncIterator["Foundation"]:
        """The database, opened and checked, with keys and secrets.

        Raises:
            ServiceError: it is missing, or not the one of these settings and this master key.
        """
        settings = self.settings()
        from corpid.wiring.foundation import foundation

        async with foundation(settings) as base:
            yield base

    def note(self, message: str) -> None:
        """Tell the person at the terminal something that is no result."""
        say(message)


def load_settings(env_file: Path | None) -> "Settings":
    """The settings from the environment, and from a file where one is named.

    Raises:
        ConfigurationError: one is missing or wrong; every fault is named.
    """
    from pydantic import ValidationError

    from corpid.settings import Settings

    if env_file is not None and not env_file.is_file():
        raise ConfigurationError(f"there is no settings file {env_file}")
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        faults = (
            f"CORPID_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError("; ".join(faults)) from None


def command(
    app: typer.Typer, words: str, *, example: str, fast_loop: bool = False
) -> Callable[[Callable[Concatenate[Run, P], Awaitable[Answer]]], None]:
    """Add a command to ``app``. ``words`` is its whole name, such as ``mandate end``.

    ``fast_loop`` runs it on uvloop, which is for what serves.
    """
    EXAMPLES[words] = example

    def add(function: Callable[Concatenate[Run, P], Awaitable[Answer]]) -> None:
        def wrapper(**arguments: Any) -> None:
            common = {key: arguments.pop(key) for key in _COMMON}
            run = Run(common["as_json"], _actor(common["operator"]), common["env_file"])
            work = function(run, **arguments)  # type: ignore[call-arg]
            raise typer.Exit(_carry_out(work, run, fast_loop))

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        shared = list(inspect.signature(_common_options, eval_str=True).parameters.values())
        named = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *shared)]
        wrapper.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {one.name: one.annotation for one in named}
        wrapper.__doc__ = function.__doc__
        wrapper.__name__ = getattr(function, "__name__", words)
        app.command(words.rsplit(maxsplit=1)[-1], epilog=f"Example: {example}")(wrapper)

    return add


def _common_options(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of tables.")
    ] = False,
    operator: Annotated[
        str | None,
        typer.Option(help="Who does this, for the audit trail; default: the login name."),
    ] = None,
    env_file: Annotated[
        Path | None,
        typer.Option(help="A file of CORPID_… settings; the environment goes before it."),
    ] = None,
) -> None:
    """The options that every command has."""


def _actor(operator: str | None) -> str:
    from corpid.domain.credential_management import OPERATOR

    if operator is None:
        try:
            operator = getpass.getuser()
        except (KeyError, OSError):  # a container's user may have no name
            operator = f"uid-{os.getuid()}"
    kept = "".join(one for one in operator if one.isprintable() and not one.isspace())
    return f"{OPERATOR}{kept[:64]}"


def _carry_out(work: Awaitable[Answer], run: Run, fast_loop: bool) -> int:
    async def main() -> Answer:
        return await work

    try:
        with asyncio.Runner(loop_factory=_loop_factory() if fast_loop else None) as runner:
            answer = runner.run(main())
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        code, message, exit_code = refusal
        emit_error(code, message, as_json=run.as_json)
        return exit_code
    emit(answer, as_json=run.as_json)
    return answer.exit_code


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop

    return uvloop.new_event_loop


def _refusal(error: Exception) -> tuple[str, str, int] | None:
    """Code, message and exit code of an expected error; None for one that is a fault of ours."""
    from corpid.storage.errors import StorageBusy, StorageError, StorageUnavailable
    from keys.errors import KeysError
    from oidc.errors import OAuthError

    match error:
        case CommandError():
            known = error.code, error.exit_code
        case NotFound():
            known = error.code, NOT_FOUND
        case DomainError() | ServiceError() | KeysError() | OAuthError():
            known = error.code, REFUSED
        case StorageBusy() | StorageUnavailable():
            known = "storage_unavailable", UNAVAILABLE
        case StorageError():
            known = "storage_error", REFUSED
        case _:
            return None
    return known[0], str(error), known[1]


def read_input(path: Path, *, max_bytes: int, what: str) -> bytes:
    """The content of a file, or of standard input for ``-``.

    Raises:
        CommandError: it cannot be read, or is longer than ``max_bytes``.
    """
    import sys

    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(max_bytes + 1)
        else:
            with path.open("rb") as stream:
                data = stream.read(max_bytes + 1)
    except OSError as error:
        raise CommandError(
            "unreadable_file", f"{what} {path} cannot be read: {error.strerror}"
        ) from None
    if len(data) > max_bytes:
        raise CommandError("file_too_long", f"{what} {path} is longer than {max_bytes} bytes")
    return data


def instant(text: str | None) -> int | None:
    """The value of ``--at``: RFC 3339 text, or a Hong Kong date (its end), in epoch ms.

    Raises:
        CommandError: it is neither.
    """
    from corpid.domain.dates import parse_instant

    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        raise CommandError(
            "invalid_instant",
            f"--at {text!r} is neither an instant such as 2026-03-01T09:00:00Z nor a Hong Kong "
            "date such as 2026-03-01",
        ) from None


At = Annotated[
    str | None,
    typer.Option(
        "--at",
        help="As it was known then: an instant (2026-03-01T09:00:00Z) or the end of a Hong Kong "
        "date (2026-03-01).",
    ),
]
Yes = Annotated[
    bool,
    typer.Option("--yes", help="Do it; without this the command only shows what would happen."),
]
Reason = Annotated[str, typer.Option(help="Why, for the audit trail.")]
