"""The real service as processes of their own, over a database made for one test.

    site = await new_site("postgresql", tmp_path)     # initialised, nobody in it
    async with site.foundation() as base: ...         # fill it through the services
    process = site.start()                            # the service, forked with modules loaded
    process = site.start(fresh=True)                  # python -m corpid.web
    await process.ready()
    process.kill()                                    # kill -9
    await site.close()

No process outlives the test that started it, however that ends: each is a process group of its
own that is killed at exit, and on Linux the kernel kills it when its parent dies.
"""

import asyncio
import atexit
import contextlib
import functools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from corpid.services import bootstrap
from corpid.settings import Settings
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from corpid.wiring.foundation import Foundation, foundation
from keys.clock import system_clock
from keys.sealing import MasterKey
from tests.support import loaded, postgres
from tests.support.fapi_client_http import ConnectionLost, Http
from tests.support.migrated import postgresql_database, sqlite_database

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ("-m", "corpid.web")
START_SECONDS = 30.0
STOP_SECONDS = 15.0
RESOURCE = "https://api.partner.example/orders"
RESOURCE_SECTOR = "api.partner.example"

# Runs in the child before the program: "kill me when my parent dies", then becomes the program.
_TIED_TO_PARENT = """
import os, sys
parent, program = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != parent:
        sys.exit("the parent has gone")
os.execv(program[0], program)
"""


class NotStarted(Exception):
    """The process ended, or did not answer in time; the message has the end of its log."""


@dataclass(slots=True)
class Process:
    """A child process with its log; `start` makes it."""

    child: "subprocess.Popen[bytes]"
    log: Path

    @classmethod
    def start(
        cls,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        pipes: bool = False,
    ) -> "Process":
        """Start `python` with these arguments.

        Standard error goes to the log; standard input and output are pipes if asked for. Call it
        in the main thread: the kernel takes the end of the thread that forked for the parent's.
        """
        guard = (sys.executable, "-I", "-S", "-c", _TIED_TO_PARENT, str(os.getpid()))
        with log.open("ab") as output:
            child = subprocess.Popen(
                [*guard, sys.executable, *arguments],
                cwd=log.parent,
                env=_environment(environment),
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else output,
                stderr=output,
                start_new_session=True,
            )
        started = cls(child, log)
        atexit.register(started.kill)
        return started

    @property
    def pid(self) -> int:
        """The process id."""
        return self.child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.child.poll() is None

    def kill(self) -> None:
        """kill -9 for the whole process group, and wait until it is gone. Twice is fine."""
        self.signal(signal.SIGKILL)
        self.child.wait()
        atexit.unregister(self.kill)

    def close(self) -> None:
        """Kill it, and let go of the pipes: what it wrote last can be read until then."""
        self.kill()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def signal(self, number: int) -> None:
        """Send a signal to the group, if it is still there."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, number)

    async def ended(self, within: float = STOP_SECONDS) -> int:
        """Its exit status; TimeoutError if it goes on for longer than that."""
        expires = time.monotonic() + within
        while self.running:
            if time.monotonic() > expires:
                raise TimeoutError(f"still running after {within} s:\n{self.tail()}")
            await asyncio.sleep(0.005)
        return self.child.returncode

    async def stop(self) -> int:
        """SIGTERM, and wait; its exit status."""
        self.signal(signal.SIGTERM)
        try:
            return await self.ended()
        finally:
            self.kill()

    def tail(self, characters: int = 4000) -> str:
        """The end of its log."""
        return self.log.read_text("utf-8", "replace")[-characters:]

    def resident_mb(self) -> float:
        """Resident memory, MB (10**6 bytes)."""
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / 1e6
        except psutil.NoSuchProcess:
            raise ProcessLookupError(f"process {self.pid} has ended") from None


@dataclass(slots=True)
class Service(Process):
    """A running service; `http` are connections to it."""

    port: int = 0
    http: Http = field(default_factory=lambda: Http(0))

    async def ready(self, within: float = START_SECONDS) -> float:
        """Wait until /readyz says so; the seconds that it took.

        Raises:
            NotStarted: it ended before, or time is up.
        """
        began = time.monotonic()
        while time.monotonic() - began < within:
            if not self.running:
                break
            try:
                if (await self.http.get("/readyz")).status == 200:
                    return time.monotonic() - began
            except ConnectionLost:
                await asyncio.sleep(0.005)
        raise NotStarted(f"not ready (exit status {self.child.poll()}):\n{self.tail()}")


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Site:
    """One issuer with its database and master key, and the processes that serve it.

    `port` is the port of the first process, and of the issuer's URL.
    """

    engine: str
    directory: Path
    settings: Settings
    port: int
    processes: list[Process] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        """The issuer."""
        return self.settings.issuer

    @property
    def database_file(self) -> Path:
        """The SQLite file."""
        return Path(self.settings.database_url.removeprefix("sqlite:///"))

    def environment(self, **changes: str) -> dict[str, str]:
        """The settings as a process reads them; `changes` are named as settings are."""
        settings = self.settings
        whole: dict[str, Any] = {
            "issuer": settings.issuer,
            "database_url": settings.database_url,
            "master_key_file": settings.master_key_file,
            "port": self.port,
            "dpop_nonce": settings.dpop_nonce,
            "purge_seconds": settings.purge_seconds,
            "resource_sectors": json.dumps(settings.resource_sectors),
            **changes,
        }
        return {f"CORPID_{name.upper()}": str(value) for name, value in whole.items()}

    def start(
        self, port: int | None = None, name: str = "service", *, fresh: bool = False, **changes: str
    ) -> Service:
        """Start a process of the service, by default on the issuer's port."""
        port = self.port if port is None else port
        environment = self.environment(port=str(port), **changes)
        log = self.directory / f"{name}.log"
        if fresh:
            process = Service.start(SERVICE, environment, log)
        else:
            process = Service(_source().start(_environment(environment), log), log)
            atexit.register(process.kill)
        process.port, process.http = port, Http(port)
        self.processes.append(process)
        return process

    def run(self, arguments: Sequence[str], name: str) -> Process:
        """Start another Python program with this site's settings and pipes."""
        log = self.directory / f"{name}.log"
        process = Process.start(arguments, self.environment(), log, pipes=True)
        self.processes.append(process)
        return process

    @asynccontextmanager
    async def foundation(self) -> AsyncIterator[Foundation]:
        """The database, opened in the test's own process."""
        async with foundation(self.settings) as base:
            yield base

    async def close(self) -> None:
        """Kill what still runs, and drop the database."""
        for process in self.processes:
            if isinstance(process, Service):
                await process.http.close()
            process.close()
        if self.engine == "postgresql":
            await postgres.drop_database(self.settings.database_url)


async def new_site(
    engine: str,
    directory: Path,
    *,
    fsync: bool = True,
    initialised: bool = True,
    path: str = "",
    scheme: str = "http",
    **more: Any,
) -> Site:
    """A fresh database under a fresh issuer with that scheme and path; `more` are settings.

    On PostgreSQL `fsync` decides whether commits wait for the disk, as they do in production.
    """
    port = free_port()
    url = await _database(engine, directory / "corpid.db", fsync=fsync, migrated=initialised)
    master = MasterKey.generate(secrets.token_bytes)
    key_file = directory / "master.key"
    key_file.write_text(master.text())
    key_file.chmod(0o600)
    settings = Settings(
        issuer=f"{scheme}://127.0.0.1:{port}{path}",
        database_url=url,
        master_key_file=key_file,
        port=port,
        resource_sectors={RESOURCE: RESOURCE_SECTOR},
        **more,
    )
    if initialised:
        await _initialise(settings, master)
    return Site(engine, directory, settings, port)


async def _database(engine: str, path: Path, *, fsync: bool, migrated: bool) -> str:
    if engine == "postgresql":
        if migrated:
            return await postgresql_database(fsync=fsync)
        return await postgres.new_database(fsync=fsync)
    return await sqlite_database(path) if migrated else f"sqlite:///{path}"


async def _initialise(settings: Settings, master: MasterKey) -> None:
    database = await open_database(settings.database_url)
    try:
        store = SqlStore(database, system_clock, secrets.token_bytes)
        await bootstrap.initialise(
            store, master, settings.issuer, system_clock, secrets.token_bytes
        )
    finally:
        await database.close()


@functools.cache
def _source() -> loaded.Source:
    """One for the process of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="corpid-loaded-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    started = Process.start(("-m", "tests.support.loaded"), {}, folder / "log", pipes=True)
    atexit.register(started.close)
    return loaded.Source(started.child)


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("CORPID_")}
    return {**outer, "PYTHONPATH": str(ROOT), **own}
