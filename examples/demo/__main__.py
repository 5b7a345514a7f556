"""`make demo`: the main job end to end, every part a process of its own, on loopback.

A business is found by its registration number, its representative signs in at a bank, a wallet
receives the credentials, bank and partner verify them, an operator revokes, and the next check
refuses. Every refusal that must come is asserted by its error code.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from examples.demo.account import Account, Unexpected
from examples.demo.stage import Stage
from examples.demo.story import tell
from examples.processes import ROOT, CommandFailed


def main() -> int:
    """Play the story; 0 when everything came out as it must."""
    parser = argparse.ArgumentParser(description="Play the main job end to end.")
    parser.add_argument(
        "--build", type=Path, default=ROOT / "build", help="a folder for its files (default: build)"
    )
    build: Path = parser.parse_args().build.absolute()
    account = Account()
    build.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=build))
    try:
        with Stage(folder, account) as stage:
            tell(stage, account)
    except (Unexpected, CommandFailed, subprocess.SubprocessError, OSError) as error:
        print(f"\nThe demo failed: {error}\nIts files are in {folder}", file=sys.stderr)
        return 1
    account.close()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
