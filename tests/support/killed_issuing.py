"""`corpid` with the arguments after the first two, killed (SIGKILL) while it hands out results.

The first argument says where: ``before`` the results of a chunk are written, or in the middle of
them (``torn``); the second which chunk.
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from corpid.cli import result_file
from corpid.cli.main import app


def main() -> None:
    where, chunk = sys.argv[1], int(sys.argv[2])
    write = result_file.ResultFile.add
    chunks = 0

    def add(self: result_file.ResultFile, results: Sequence[Mapping[str, Any]]) -> None:
        nonlocal chunks
        chunks += 1
        if chunks == chunk:
            if where == "torn":
                write(self, results[:2])
                os.ftruncate(self._descriptor, os.lseek(self._descriptor, 0, os.SEEK_CUR) - 20)
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, results)

    result_file.ResultFile.add = add  # type: ignore[method-assign]
    app(sys.argv[3:], prog_name="corpid")


if __name__ == "__main__":
    main()
