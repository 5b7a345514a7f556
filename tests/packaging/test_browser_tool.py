"""How `make test` comes by a browser, and what is said where it cannot."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.browsing import MISSING, missing
from tools.browser import CHOSEN, ensure, on_the_system, ways


def has(*names: str) -> dict[str, str]:
    return {name: f"/usr/bin/{name}" for name in names}


def test_the_systems_browser_is_taken_and_the_one_that_is_named_before_it() -> None:
    which = has("google-chrome", "chromium").get
    assert on_the_system({}, which) == Path("/usr/bin/chromium")
    assert on_the_system({CHOSEN: "/opt/mine"}, which) == Path("/opt/mine")
    assert on_the_system({}, has().get) is None


def test_root_with_apt_installs_the_package_and_others_ask_the_library() -> None:
    update, install = ways(is_root=True, which=has("apt-get").get)
    assert update[:2] == ["/usr/bin/apt-get", "update"]
    assert install[:2] == ["/usr/bin/apt-get", "install"]
    assert install[-1] == "chromium"
    library = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    assert ways(is_root=False, which=has("apt-get").get) == library
    assert ways(is_root=True, which=has().get) == library


def test_nothing_is_installed_where_there_is_one() -> None:
    def run(command: Sequence[str]) -> bool:
        raise AssertionError(command)

    assert ensure(lambda: Path("/usr/bin/chromium"), [["install"]], run).endswith("/chromium")


def test_what_was_installed_is_found_and_a_failure_is_said() -> None:
    installed: list[str] = []

    def install(command: Sequence[str]) -> bool:
        installed.append(command[0])
        return command[0] != "fails"

    def find() -> Path | None:
        return Path("/new") if "works" in installed else None

    assert ensure(find, [["first"], ["works"]], install) == "browser: /new"
    installed.clear()
    said = ensure(find, [["fails"], ["works"]], install)
    assert "will not run" in said
    assert installed == ["fails"]


def test_without_a_browser_the_tests_say_so_and_fail_where_all_must_run() -> None:
    with pytest.raises(pytest.skip.Exception, match="did not run"):
        missing({})
    with pytest.raises(pytest.fail.Exception, match="did not run"):
        missing({"CI": "true"})
    assert "tools.browser" in MISSING
