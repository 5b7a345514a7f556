"""Servers as processes of their own, pinned to a core, that never outlive the run."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.machine import pinned

START_SECONDS = 30.0
STOP_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1


class NotStarted(Exception):
    """A server did not come up; the message has the end of its log."""


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    # However the run ends, kill -9 included, the server ends too.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.asynccontextmanager
async def running(
    command: Sequence[str], environment: Mapping[str, str], port: int, log: Path, core: int
) -> AsyncIterator[int]:
    """Run a server; yields its process id once it listens.

    Raises NotStarted.
    """
    process = _start(command, environment, log, core)
    try:
        await _listens(process, port, log)
        yield process.pid
    finally:
        _stop(process)


@contextlib.contextmanager
def piped(
    command: Sequence[str], environment: Mapping[str, str], core: int
) -> Iterator[Callable[[str], str]]:
    """Run a program that answers each line of its input with a line; yields how to ask it.

    Raises NotStarted when it ends instead.
    """
    with pinned(core):
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread has been started yet
        )

    def ask(line: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(line, file=process.stdin, flush=True)
        answer = process.stdout.readline()
        if not answer:
            raise NotStarted(f"{command!r} ended")
        return answer

    with process:
        try:
            yield ask
        finally:
            _stop(process)


def _start(
    command: Sequence[str], environment: Mapping[str, str], log: Path, core: int
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output, pinned(core):
        return subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread has been started yet
        )


async def _listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    expires = time.monotonic() + START_SECONDS
    while time.monotonic() < expires:
        if process.poll() is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise NotStarted(f"{process.args!r} does not listen on port {port}:\n{tail(log)}")


def tail(log: Path, characters: int = 2000) -> str:
    """The end of a log."""
    return log.read_text("utf-8", "replace")[-characters:]


def _stop(process: subprocess.Popen[Any]) -> None:
    for send in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, send)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
