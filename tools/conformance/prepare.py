"""Register the suite's people and clients at this service, and write the plans' configurations.

python -m tools.conformance.prepare --suite https://suite.example:8443 --folder conformance

The service is the one of the settings in the environment (``CORPID_…``). Names are openly those of
a suite; do it on a database that is for this and nothing else.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from examples.processes import corpid
from keys.signer import generate

Run = Callable[..., Any]
"""An admin command by its words; its document."""

BUSINESS: Final = "99000001"
_PEOPLE: Final = 4
_METHODS: Final = {
    "client": "client_secret_basic",
    "client2": "client_secret_basic",
    "client_secret_post": "client_secret_post",
}
_STANDARD: Final = ("openid", "profile", "email", "phone", "address", "offline_access")
_GRANTS: Final = ("authorization_code", "refresh_token")


def people(run: Run, count: int = _PEOPLE) -> list[dict[str, str]]:
    """People with one-time codes, so that the modules need not wait for the next code of one."""
    made = []
    for number in range(1, count + 1):
        username = f"sample.tester{number}"
        said = run(
            "person", "add", "--name-en", f"Sample Tester {number}", "--username", username,
            "--email", f"{username}@example.com", "--phone", f"+8525555000{number}",
            "--generate-password", "--totp",
        )  # fmt: skip
        run(
            "representation", "add", "--organisation", BUSINESS, "--person", username,
            "--role", "director",
        )  # fmt: skip
        made.append({name: said[name] for name in ("username", "password", "totp_secret")})
    return made


def openid(run: Run, suite: str, alias: str, *more: str) -> dict[str, Any]:
    """The clients of the plans of OpenID Connect, whose requests have no PKCE."""
    found = {}
    for member, method in _METHODS.items():
        made = _client(
            run, suite, alias, member, ("",), "--profile", "oidc", "--no-pkce",
            "--auth-method", method, *more,
        )  # fmt: skip
        found[member] = {name: made[name] for name in ("client_id", "client_secret")}
    return found


def dynamic(run: Run, suite: str) -> dict[str, Any]:
    """Leave to register themselves for the clients of the dynamic plan."""
    made = run(
        "client", "token", "create", "--label", suite, "--count", "500", "--days", "30",
        "--profile", "oidc", "--no-pkce", "--sector", "conformance-suite",
        *_each("--scope", _STANDARD), *_each("--grant-type", _GRANTS),
    )  # fmt: skip
    return {name: {"initial_access_token": made["token"]} for name in ("client", "client2")}


def fapi(run: Run, suite: str, alias: str, profile: str, folder: Path) -> dict[str, Any]:
    """Two clients with keys and DPoP."""
    found = {}
    for member in ("client", "client2"):
        key = generate("PS256")
        public = folder / f"{alias}-{member}.jwks.json"
        public.write_text(json.dumps({"keys": [dict(key.public_jwk)]}))
        made = _client(
            run, suite, alias, member, ("", "?dummy1=lorem&dummy2=ipsum"), "--profile", profile,
            "--dpop", "--jwks", str(public),
        )  # fmt: skip
        found[member] = {
            "client_id": made["client_id"],
            "scope": "openid offline_access",
            "jwks": {"keys": [key.private_jwk()]},
            "dpop_signing_alg": "ES256",
        }
    return found


def prepare(run: Run, issuer: str, suite: str, folder: Path) -> list[Path]:
    """Register everything; the files that are written, which hold secrets."""
    back = f"{suite}/test/a/corpid"
    told = f"{back}-backchannel/backchannel_logout"
    plans = {
        "corpid-basic": openid(run, suite, "corpid-basic"),
        "corpid-logout": openid(
            run, suite, "corpid-logout",
            "--post-logout-redirect-uri", f"{back}-logout/post_logout_redirect",
        ),
        "corpid-backchannel": openid(
            run, suite, "corpid-backchannel", "--backchannel-logout-uri", told,
            "--post-logout-redirect-uri", f"{back}-backchannel/post_logout_redirect",
        ),
        "corpid-dynamic": dynamic(run, suite),
        "corpid-fapi2": fapi(run, suite, "corpid-fapi2", "fapi2", folder),
        "corpid-signing": fapi(run, suite, "corpid-signing", "fapi2-message-signing", folder),
    }  # fmt: skip
    written = [_secret(folder / "people.json", people(run))]
    for alias, clients in plans.items():
        document = {
            "alias": alias,
            "description": f"{issuer}: {alias}",
            "server": {"discoveryUrl": f"{issuer}/.well-known/openid-configuration"},
            "resource": {"resourceUrl": f"{issuer}/userinfo"},
            **clients,
        }
        written.append(_secret(folder / f"{alias}.json", document))
    return written


def _client(
    run: Run, suite: str, alias: str, member: str, queries: tuple[str, ...], *more: str
) -> Any:
    callback = f"{suite}/test/a/{alias}/callback"
    return run(
        "client", "add", "--client-id", f"{alias}-{member}", "--name-en", f"Suite {alias} {member}",
        "--sector", f"{alias}-{member}", "--min-acr", "loa1",
        *_each("--redirect-uri", tuple(callback + query for query in queries)),
        *_each("--scope", _STANDARD), *_each("--grant-type", _GRANTS), *more,
    )  # fmt: skip


def _each(option: str, values: tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _secret(path: Path, document: Any) -> Path:
    path.touch(mode=0o600)
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path


def main() -> int:
    """Register and write; the names of the files."""
    parser = argparse.ArgumentParser(prog="python -m tools.conformance.prepare")
    parser.description = "Register the suite's people and clients; write the configurations."
    parser.add_argument("--suite", required=True, help="the suite's address")
    parser.add_argument("--folder", type=Path, required=True, help="where the files go")
    arguments = parser.parse_args()
    settings = {name: value for name, value in os.environ.items() if name.startswith("CORPID_")}
    arguments.folder.mkdir(parents=True, exist_ok=True)

    def run(*words: str) -> Any:
        return corpid(settings, *words)

    issuer, suite = settings["CORPID_ISSUER"], arguments.suite.rstrip("/")
    for path in prepare(run, issuer, suite, arguments.folder):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
