"""An operator's process of its own, beside the service: ends things by command, and may be killed.

As a program (with the service's environment) it reads one JSON line per act,
``{"act": "revoke_credential", "with": {…}}``, does it through ``services.revocation`` and says when
its commit had returned. `Admin` starts such a process and talks to it.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from corpid.domain.errors import DomainError
from corpid.settings import Settings
from corpid.wiring.foundation import foundation
from tests.support.service_process import Process, Site


@dataclass(slots=True)
class Admin:
    """A running operator's process. One act at a time."""

    process: Process

    @classmethod
    def start(cls, site: Site) -> "Admin":
        """Start one."""
        return cls(site.run(("-m", "tests.faults.admin_process"), "admin"))

    async def ready(self) -> None:
        """Wait until it has opened the database."""
        said = await self._line()
        assert said == {"ready": True}, f"{said}\n{self.process.tail()}"

    async def do(self, act: str, **arguments: str) -> dict[str, Any] | None:
        """Its answer, with ``at`` in seconds of the monotonic clock; None if it was killed."""
        line = json.dumps({"act": act, "with": arguments}).encode() + b"\n"
        pipe = self.process.child.stdin
        assert pipe is not None
        try:
            pipe.write(line)
            pipe.flush()
        except OSError:
            return None
        return await self._line()

    async def _line(self) -> dict[str, Any] | None:
        pipe = self.process.child.stdout
        assert pipe is not None
        line = await asyncio.to_thread(pipe.readline)
        if not line.endswith(b"\n"):
            return None
        said: dict[str, Any] = json.loads(line)
        return said


async def main() -> None:
    """Read, do, tell, until standard input ends."""
    loop = asyncio.get_running_loop()
    async with foundation(Settings()) as base:
        _say({"ready": True})
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            wanted = json.loads(line)
            try:
                report = await getattr(base.revocation, wanted["act"])(**wanted["with"])
            except DomainError as error:
                _say({"error": error.code})
            else:
                _say({"at": time.monotonic(), "already": report.already})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
