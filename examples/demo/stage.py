"""The demo's stage: a fresh service, and relying parties that have only the installed wheel."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from examples.demo.account import Account, Unexpected
from examples.processes import ROOT, Background, corpid, environment
from examples.relying_parties.http_json import request
from keys.signer import generate
from tools.bare import BareEnvironment

PARTIES = ROOT / "examples" / "relying_parties"
START_SECONDS = 15


class Stage:
    """Everything that runs while the story is told, and is gone afterwards."""

    def __init__(self, folder: Path, account: Account) -> None:
        self._stack = ExitStack()
        self._account = account
        self.folder = folder
        self.port = _free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "CORPID_ISSUER": self.issuer,
            "CORPID_DATABASE_URL": f"sqlite:///{folder}/corpid.db",
            "CORPID_MASTER_KEY_FILE": f"{folder}/master.key",
            "CORPID_PORT": str(self.port),
        }
        self.addresses: dict[str, str] = {}
        self._bare: BareEnvironment | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def corpid(self, *arguments: str, expect: int = 0) -> Any:
        """Run an admin command."""
        return corpid(self.settings, *arguments, expect=expect)

    def install_wheel(self) -> str:
        """Build the wheel and install it where nothing else of ours is; its name."""
        out = self.folder / "wheel"
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
        subprocess.run([*command, str(ROOT)], check=True, capture_output=True, timeout=120)
        wheel = next(out.glob("*.whl"))
        self._bare = BareEnvironment(self.folder / "bare", wheel)
        return wheel.name

    def start_service(self) -> None:
        """Start the service and wait until it is ready."""
        command = [sys.executable, "-m", "corpid.web"]
        log = self.folder / "service.log"
        env = environment(self.settings)
        service = self._stack.enter_context(Background(command, env=env, log=log))
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if request("GET", f"{self.issuer}/readyz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise Unexpected(f"the service did not start:\n{service.log()}")

    def start_party(self, name: str, *arguments: str) -> str:
        """Start a relying party (or the wallet) on the installed wheel; its address."""
        assert self._bare is not None
        # -I: neither this folder nor the environment's paths can lend it our source tree.
        program = f"import sys, runpy; sys.path.insert(0, {str(PARTIES)!r}); " + (
            f"sys.argv[1:] = {list(arguments)!r}; "
            f"runpy.run_path({str(PARTIES / f'{name}.py')!r}, run_name='__main__')"
        )
        party = self._stack.enter_context(
            Background(
                [str(self._bare.python), "-I", "-c", program],
                env={"PATH": os.environ.get("PATH", "")},
                log=self.folder / f"{name}.log",
            )
        )
        port = party.first_line()
        if not port.isdigit():
            raise Unexpected(f"the {name} did not start:\n{party.log()}")
        self.addresses[name] = f"http://127.0.0.1:{port}"
        return self.addresses[name]

    def ask(self, party: str, path: str, value: dict[str, Any] | None = None) -> dict[str, Any]:
        """POST to a relying party; its JSON answer with the HTTP status."""
        url = f"{self.addresses[party]}{path}"
        status, _, body = request("POST", url, value=value or {})
        return {"status": status, **(body or {})}

    def make_client_key(self, name: str) -> tuple[Path, Path]:
        """A client's key pair in files: (private JWK, JWK Set with the public part)."""
        key = generate("ES256")
        private, public = self.folder / f"{name}.jwk", self.folder / f"{name}.jwks"
        private.touch(mode=0o600)
        private.write_text(json.dumps(key.private_jwk()))
        public.write_text(json.dumps({"keys": [dict(key.public_jwk)]}))
        return private, public


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
