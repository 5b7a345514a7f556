"""The OpenID Foundation's conformance suite by its REST API: plans, modules, what they found."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

CONFIGURED: Final = "CONFIGURED"
FINISHED: Final = frozenset({"FINISHED", "INTERRUPTED"})
_TOLD: Final = frozenset({"FAILURE", "WARNING"})


@dataclass(frozen=True)
class Module:
    """One module of a plan, as this plan runs it."""

    name: str
    variant: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """What the suite says of a module that is over. ``findings`` are its failures and warnings."""

    module: Module
    test_id: str
    result: str
    findings: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As it is written to a file."""
        return {
            "module": self.module.name,
            "variant": dict(self.module.variant),
            "id": self.test_id,
            "result": self.result,
            "findings": list(self.findings),
        }


class Suite:
    """A suite at an address. Its own certificate is not checked: it is a tool on a test bench."""

    def __init__(self, address: str, token: str = "") -> None:
        self.address = address.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx2.Client(verify=False, timeout=60, headers=headers)

    def plan(
        self, name: str, variant: Mapping[str, str], configuration: Mapping[str, Any]
    ) -> tuple[str, list[Module]]:
        """Make a plan; its id and its modules in their order."""
        made = self._post(
            "api/plan", configuration, planName=name, variant=json.dumps(dict(variant))
        )
        modules = [Module(one["testModule"], one.get("variant") or {}) for one in made["modules"]]
        return made["id"], modules

    def create(self, plan: str, module: Module) -> str:
        """Create a module of the plan, which most start by themselves; the id of this run."""
        made = self._post(
            "api/runner",
            None,
            test=module.name,
            plan=plan,
            variant=json.dumps(dict(module.variant)),
        )
        test_id: str = made["id"]
        return test_id

    def start(self, test_id: str) -> None:
        """Start a module that waits for it (CONFIGURED)."""
        self._post(f"api/runner/{test_id}", None)

    def status(self, test_id: str) -> str:
        """CREATED, CONFIGURED, RUNNING, WAITING, INTERRUPTED or FINISHED."""
        status: str = self._get(f"api/info/{test_id}")["status"]
        return status

    def to_visit(self, test_id: str) -> list[tuple[str, str]]:
        """The addresses that a person's browser is asked to open, each with its method."""
        answer = self._http.get(f"{self.address}/api/runner/{test_id}")
        if answer.status_code == 404:
            return []
        browser = answer.raise_for_status().json()["browser"]
        return [(one["url"], one["method"]) for one in browser["urlsWithMethod"]]

    def visited(self, test_id: str, url: str) -> None:
        """Say that it is opened."""
        self._http.post(
            f"{self.address}/api/runner/browser/{test_id}/visit", params={"url": url}
        ).raise_for_status()

    def wanted_pictures(self, test_id: str) -> list[str]:
        """The places in the log that wait for a picture of a page."""
        return [
            one["upload"] for one in self._log(test_id) if one.get("upload") and not one.get("img")
        ]

    def give_picture(self, test_id: str, place: str, png: bytes) -> None:
        """Put a picture there; a human has to look at it, so that the module's result is REVIEW."""
        encoded = "data:image/png;base64," + base64.b64encode(png).decode()
        self._http.post(
            f"{self.address}/api/log/{test_id}/images/{place}",
            content=encoded,
            headers={"Content-Type": "text/plain"},
        ).raise_for_status()

    def outcome(self, module: Module, test_id: str) -> Outcome:
        """What came of it."""
        info = self._get(f"api/info/{test_id}")
        result = info.get("result") or info["status"]
        if info["status"] == "INTERRUPTED":
            result = f"{result} (interrupted)"
        findings = tuple(
            f"{one['result']}: {one['src']}: {one.get('msg', '')}"
            for one in self._log(test_id)
            if one.get("result") in _TOLD
        )
        return Outcome(module, test_id, result, findings)

    def _log(self, test_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get(f"api/log/{test_id}")
        return found

    def _get(self, path: str) -> Any:
        return self._http.get(f"{self.address}/{path}").raise_for_status().json()

    def _post(self, path: str, body: Any, **parameters: str) -> Any:
        answer = self._http.post(f"{self.address}/{path}", params=parameters, json=body)
        if answer.is_error:
            raise SystemExit(f"{path}: {answer.status_code}: {answer.text[:500]}")
        return answer.json()
