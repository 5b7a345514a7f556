"""The machine: cores, CPU time and memory of a process, the disk, and the conditions of a run."""

import contextlib
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("cryptography", "orjson", "uvicorn", "uvloop", "httptools", "sqlalchemy")


def cores() -> tuple[int, int]:
    """The core of the server and the core of the generator; the same where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run this thread, and what it starts, on one core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def core_seconds(core: int) -> float:
    """How long that core has worked so far, for whomever."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, ticks)
            return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return 0.0


def process_tree(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for thread in _threads(pid):
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text()
            for child in children.split():
                found += process_tree(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system CPU of the process tree so far.

    From the scheduler's own account in nanoseconds where the kernel keeps it, else in its ticks.
    """
    total = 0.0
    for one in process_tree(pid):
        try:
            nanoseconds = sum(
                int(Path(f"/proc/{one}/task/{thread}/schedstat").read_text().split()[0])
                for thread in _threads(one)
            )
        except OSError:
            nanoseconds = 0
        total += nanoseconds / 1e9 if nanoseconds else _ticks(one)
    return total


def _threads(pid: int) -> list[str]:
    try:
        return [entry.name for entry in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []


def _ticks(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of one process, MB (10**6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def fsync_ms(directory: Path, times: int = 200) -> float:
    """The median time of `fdatasync` after a small write, where the database will be."""
    taken = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(times):
            os.pwrite(file.fileno(), os.urandom(4096), 0)
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def conditions(directory: Path) -> dict[str, Any]:
    """What the figures depend on."""
    from cryptography.hazmat.backends.openssl import backend

    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 2),
        "openssl": backend.openssl_version_text(),
        "packages": {name: _version(name) for name in PACKAGES},
        "fsync_ms": round(fsync_ms(directory), 3),
    }


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
