"""docs/conformance-suite.md: what it registers is registered, and a module is run to its end."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.docs.reading import Document
from tests.docs.site import DocumentSite
from tools.conformance import __main__ as running
from tools.conformance.person import Person, Sitting
from tools.conformance.prepare import prepare
from tools.conformance.suite import Module, Outcome, Suite
from tools.source_tree import ROOT

SUITE = "https://suite.example:8443"


@pytest.fixture
def folder(site: DocumentSite) -> Path:
    """What `prepare` writes, and the service in which it registered."""
    assert site.cli.run("init").exit_code == 0
    assert site.cli.run("register", "import", "--sample").exit_code == 0
    prepare(site.cli.json, site.issuer, SUITE, site.folder)
    return site.folder


def test_what_is_prepared_is_registered_and_the_people_can_act(
    site: DocumentSite, folder: Path
) -> None:
    clients = {one["client_id"]: one for one in site.cli.json("client", "list")}
    plans = {path.stem: json.loads(path.read_text()) for path in folder.glob("corpid-*.json")}
    plans = {name: plan for name, plan in plans.items() if "alias" in plan}
    assert set(plans) == {
        f"corpid-{one}" for one in ["basic", "logout", "backchannel", "dynamic", "fapi2", "signing"]
    }
    for alias, plan in plans.items():
        assert plan["alias"] == alias
        assert plan["server"]["discoveryUrl"].startswith(site.issuer)
        if alias != "corpid-dynamic":
            assert {plan[name]["client_id"] for name in ("client", "client2")} <= clients.keys()
        assert (folder / f"{alias}.json").stat().st_mode & 0o077 == 0, "it holds secrets"
    token = plans["corpid-dynamic"]["client"]["initial_access_token"]
    assert token.startswith("cid_ia_")
    secret = plans["corpid-fapi2"]["client"]["jwks"]["keys"][0]
    public = json.loads((folder / "corpid-fapi2-client.jwks.json").read_text())["keys"][0]
    assert "d" in secret
    assert public == {name: secret[name] for name in public}
    assert "d" not in public

    for one in json.loads((folder / "people.json").read_text()):
        person = Person(**one)
        assert len(person.code()) == 6
        shown = site.cli.json("representation", "list", "--person", person.username)
        assert [row["role"] for row in shown] == ["director"]


@dataclass
class Acting:
    """A suite whose module asks for one visit, then for a picture, and a browser for it."""

    stayed: bool = True
    picture: bytes = b"png"
    did: list[str] = field(default_factory=list)
    states: Iterator[str] = field(
        default_factory=lambda: iter(["CONFIGURED", "WAITING", "WAITING", "FINISHED"])
    )

    def create(self, plan: str, module: Module) -> str:
        self.did.append(f"create {plan} {module.name}")
        return "id"

    def status(self, test_id: str) -> str:
        return next(self.states)

    def start(self, test_id: str) -> None:
        self.did.append("start")

    def to_visit(self, test_id: str) -> list[tuple[str, str]]:
        seen = any(one.startswith("visit") for one in self.did)
        return [] if seen or "start" not in self.did else [("https://id.example/x", "GET")]

    def visited(self, test_id: str, url: str) -> None:
        self.did.append("visited")

    def visit(self, url: str, method: str) -> None:
        self.did.append(f"visit {method} {url}")

    def wanted_pictures(self, test_id: str) -> list[str]:
        return ["place"] if "picture" not in " ".join(self.did) else []

    def give_picture(self, test_id: str, place: str, png: bytes) -> None:
        self.did.append(f"picture {place} {png.decode()}")

    def outcome(self, module: Module, test_id: str) -> Outcome:
        return Outcome(module, test_id, "REVIEW", ())


def test_a_module_is_run_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    acting = Acting()
    module = Module("oidcc-server-rotate-keys", {})
    suite, sitting = cast(Suite, acting), cast(Sitting, acting)
    outcome = running.run_module(suite, "plan", module, sitting, f"{sys.executable} -c pass")
    assert outcome.document()["result"] == "REVIEW"
    assert acting.did == [
        "create plan oidcc-server-rotate-keys",
        "start",
        "visited",
        "visit GET https://id.example/x",
        "picture place png",
    ]


@pytest.mark.parametrize("module", ["tools.conformance", "tools.conformance.prepare"])
def test_each_program_has_the_options_that_the_page_shows(module: str) -> None:
    words = [sys.executable, "-m", module, "--help"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    blocks = [block.text for block in Document("docs/conformance-suite.md").blocks]
    shown = [line for block in blocks for line in block.splitlines() if f"-m {module} " in line]
    assert shown
    for option in {word for line in shown for word in line.split() if word.startswith("--")}:
        assert f"{option} " in said, option


def test_a_code_is_used_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now: list[Any] = [60]
    monkeypatch.setattr("time.time", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    person = Person("sample.tester1", "secret", "JBSWY3DPEHPK3PXP")
    codes = {person.code() for _ in range(3)}
    assert (len(codes), now[0]) == (3, 120)
