"""Run a plan of the OpenID Foundation's conformance suite against this service.

python -m tools.conformance --suite https://suite.example:8443 --people conformance/people.json \\
    --configuration conformance/corpid-basic.json --plan oidcc-config-certification-test-plan

What it needs is written by ``tools.conformance.prepare``. People are played by a real browser,
which also takes the pictures that some modules want; a human has to look at those in the suite.
Where the suite wants an API token, it is in the environment as ``CONFORMANCE_TOKEN``.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools import browser as browsers
from tools.conformance.person import Part, Person, Sitting
from tools.conformance.suite import CONFIGURED, FINISHED, Module, Outcome, Suite

_POLL_SECONDS = 0.3
_MODULE_SECONDS = 300
_PATIENCE_SECONDS = 6
_BEGINS_WHEN_TOLD = "rotate-keys"


def main() -> int:
    """Run what is asked for; 1 if a module did not pass, be it with warnings or for review."""
    arguments = _arguments()
    suite = Suite(arguments.suite, os.environ.get("CONFORMANCE_TOKEN", ""))
    configuration = json.loads(arguments.configuration.read_text())
    people = [Person(**one) for one in json.loads(arguments.people.read_text())]
    variant = dict(one.split("=", 1) for one in arguments.variant)
    plan, modules = suite.plan(arguments.plan, variant, configuration)
    wanted = [
        one
        for one in modules
        if not arguments.module or any(name in one.name for name in arguments.module)
    ]
    print(f"{arguments.plan} {plan}: {len(wanted)} modules")
    outcomes = []
    issuer = configuration["server"]["discoveryUrl"].partition("/.well-known/")[0]
    for outcome in _run(suite, plan, wanted, people, issuer, arguments.rotate):
        print(f"{outcome.result:<10} {outcome.module.name} {outcome.test_id}", flush=True)
        for finding in outcome.findings:
            print(f"           {finding}")
        outcomes.append(outcome)
        arguments.results.write_text(json.dumps([one.document() for one in outcomes], indent=2))
    return 1 if any(one.result not in ("PASSED", "SKIPPED") for one in outcomes) else 0


def _run(
    suite: Suite, plan: str, modules: list[Module], people: list[Person], issuer: str, rotate: str
) -> Iterator[Outcome]:
    with sync_playwright() as library:
        found = browsers.on_the_system()
        browser = library.chromium.launch(
            executable_path=None if found is None else str(found),
            chromium_sandbox=os.geteuid() != 0,  # which no root has
        )
        for module in modules:
            person = min(people, key=lambda one: one.used_at)
            sitting = Sitting(browser, person, issuer, _part(module.name))
            try:
                yield run_module(suite, plan, module, sitting, rotate)
            finally:
                sitting.close()


def _part(module: str) -> Part:
    return Part(
        denies="user-rejects" in module,
        looks_first="par-ensure-reused-request-uri-prior-to-auth-completion" in module,
        shows_last="oidcc-registration-" in module,
    )


def run_module(suite: Suite, plan: str, module: Module, sitting: Sitting, rotate: str) -> Outcome:
    """Run one module to its end, doing for it what a person would do."""
    test_id = suite.create(plan, module)
    until = time.monotonic() + _MODULE_SECONDS
    opened_at = 0.0
    while time.monotonic() < until and (status := suite.status(test_id)) not in FINISHED:
        if status == CONFIGURED and _BEGINS_WHEN_TOLD in module.name:
            subprocess.run(shlex.split(rotate), check=True)
            suite.start(test_id)
        for url, method in suite.to_visit(test_id):
            suite.visited(test_id, url)
            sitting.visit(url, method)
            opened_at = time.monotonic()
        # Where the answer came back to the suite, a picture is wanted only if it goes on waiting.
        patience = 0 if sitting.stayed else _PATIENCE_SECONDS
        if opened_at and time.monotonic() - opened_at >= patience:
            for place in suite.wanted_pictures(test_id):
                suite.give_picture(test_id, place, sitting.picture)
        time.sleep(_POLL_SECONDS)
    return suite.outcome(module, test_id)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.conformance")
    parser.description = "Run a plan of the OpenID Foundation's conformance suite."
    parser.add_argument("--suite", required=True, help="the suite's address")
    parser.add_argument("--plan", required=True, help="the plan's name")
    parser.add_argument(
        "--variant", action="append", default=[], metavar="NAME=VALUE", help="of the plan"
    )
    parser.add_argument("--configuration", type=Path, required=True, help="the plan's, a file")
    parser.add_argument("--people", type=Path, required=True, help="who may sign in, a file")
    parser.add_argument("--rotate", default="true", help="a command that rotates the token keys")
    parser.add_argument("--module", action="append", default=[], help="only those of this name")
    parser.add_argument("--results", type=Path, default=Path("results.json"), help="to write")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
