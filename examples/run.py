"""`make run`: the service with the sample register, people and clients, to look at and try.

python -m examples.run [--https] [--port N] [--build FOLDER]
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from corpid.settings import Settings
from corpid.wiring.foundation import foundation
from examples import development_ca, sample
from examples.processes import ROOT, corpid, environment

BUILD = ROOT / "build"


def main() -> int:
    """Prepare on the first run, say where to look, and serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Start the service with sample data.")
    parser.add_argument("--https", action="store_true", help="TLS under a development CA")
    parser.add_argument("--port", type=int, default=None)
    parser.add_argument(
        "--build", type=Path, default=BUILD, help="a folder for its files (default: build)"
    )
    arguments = parser.parse_args()
    build: Path = arguments.build.absolute()
    port = arguments.port or (8443 if arguments.https else 8080)
    issuer = f"https://localhost:{port}" if arguments.https else f"http://127.0.0.1:{port}"
    folder = build / f"run-{'https' if arguments.https else 'http'}-{port}"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "CORPID_ISSUER": issuer,
        "CORPID_DATABASE_URL": f"sqlite:///{folder}/corpid.db",
        "CORPID_MASTER_KEY_FILE": f"{folder}/master.key",
        "CORPID_PORT": str(port),
        "CORPID_LOG_FORMAT": "console",
    }
    if arguments.https:
        authority, certificate, key = development_ca.make(folder)
        settings |= {
            "CORPID_TLS_CERTIFICATE": str(certificate),
            "CORPID_TLS_KEY": str(key),
        }
        print(f"Development CA (trust it in your client only for this): {authority}")
    known = prepare(build, folder, settings)
    _tell(issuer, known, settings, build / "sample.json")
    os.execve(
        sys.executable,
        [sys.executable, "-m", "corpid.web"],
        environment(settings),
    )


def prepare(build: Path, folder: Path, settings: dict[str, str]) -> dict[str, Any]:
    """Initialise and fill the service once; what `sample.json` in the build folder says."""
    remembered = folder / "sample.json"
    corpid(settings, "init")
    if not remembered.exists():
        known = asyncio.run(_seed(settings))
        known["admin"] = {
            "environment": settings,
            "commands": [
                f"corpid organisation show {sample.KITE}",
                "corpid client list",
                f"corpid offer create --organisation {sample.KITE} --person sample.director "
                "--type company-identity --type representative",
                "corpid credential list",
            ],
        }
        _write_secret(remembered, known)
    known = json.loads(remembered.read_text())
    _write_secret(build / "sample.json", known)
    return known


async def _seed(settings: dict[str, str]) -> dict[str, Any]:
    values = {name.removeprefix("CORPID_").lower(): value for name, value in settings.items()}
    async with foundation(Settings(**values)) as base:
        return await sample.seed(base)


def _write_secret(path: Path, value: dict[str, Any]) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _tell(issuer: str, known: dict[str, Any], settings: dict[str, str], samples: Path) -> None:
    shown_samples = samples.relative_to(ROOT) if samples.is_relative_to(ROOT) else samples
    print(f"Corp ID listens at {issuer}")
    print(f"  discovery    {issuer}/.well-known/openid-configuration")
    print(f"  issuer       {issuer}/.well-known/openid-credential-issuer")
    print(f"  samples      {shown_samples} (people, clients with keys, admin environment)")
    print("Sign in as one of (the one-time code comes from the TOTP secret in the samples):")
    for person in known["people"]:
        numbers = ", ".join(person["acts_for"])
        print(f"  {person['username']:<18} {person['password']:<18} acts for {numbers}")
    print("Admin commands in another terminal:")
    shown = " ".join(f"{name}={value}" for name, value in settings.items() if "TLS" not in name)
    print(f"  env {shown} \\\n    .venv/bin/corpid organisation list sample")
    print("Stop with Ctrl-C.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
