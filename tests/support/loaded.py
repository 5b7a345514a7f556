"""The service's processes, forked from one that has loaded its modules and done nothing else.

To load them takes a second or two of processor time, which every start after a kill would pay
again. In all else a fork is `python -m corpid.web`: it reads its settings, opens its database,
serves and ends as that does, is a process group of its own, and is killed when the process of the
tests goes.

This file is also the program that they are forked from: a JSON line on its standard input asks it
for one, or how one has ended, and a JSON line on its standard output answers.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOOK_AGAIN = 0.002


class Forked:
    """A process that is not our child; as far as it is used here, a `subprocess.Popen`."""

    stdin = stdout = None

    def __init__(self, source: "Source", pid: int) -> None:
        self._source = source
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, minus the signal that ended it, or None."""
        if self.returncode is None:
            self.returncode = self._source.ask(ended=self.pid)
        return self.returncode

    def wait(self) -> int:
        """Wait for that."""
        while (status := self.poll()) is None:
            time.sleep(_LOOK_AGAIN)
        return status


class Source:
    """The process that forks."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child

    def start(self, environment: Mapping[str, str], log: Path) -> Forked:
        """A service whose standard error and output go to the log."""
        return Forked(self, self.ask(environment=dict(environment), log=str(log)))

    def ask(self, **wanted: Any) -> Any:
        """What the program answers."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._child.stdin.flush()
        return json.loads(self._child.stdout.readline())


# -- the program ---------------------------------------------------------------------------------


def _answer() -> dict[str, Any] | None:
    """Answer until the end, or, in the process that was forked, until there is one to be."""
    children: dict[int, int | None] = {}
    for line in sys.stdin:
        wanted = json.loads(line)
        if "ended" in wanted:
            answer = children[wanted["ended"]] = _ended(wanted["ended"], children)
        else:
            answer = os.fork()
            os.setpgid(answer, answer)  # in both, so that it is one before anybody hears of it
            if answer == 0:
                return dict(wanted)
            children[answer] = None
        print(json.dumps(answer), flush=True)
    return None


def _ended(pid: int, children: Mapping[int, int | None]) -> int | None:
    if children[pid] is not None:
        return children[pid]
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _become(wanted: Mapping[str, Any]) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, 9)  # kill me when my parent dies
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(Path(wanted["log"]).parent)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(wanted["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for given, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(given, place)


def main() -> int:
    """What `python -m corpid.web` is, each time one is wanted."""
    from corpid.web.__main__ import main as service

    wanted = _answer()
    if wanted is None:
        return 0
    _become(wanted)
    return service()


if __name__ == "__main__":
    sys.exit(main())
