"""What a test measured or did at random, shown at the end of the run though the test passed.

    def test_something(figures): figures("p99 12 ms")

The lines come from whichever process ran the test.
"""

from collections.abc import Callable

import pytest

_NAME = "figures"


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say a line."""

    def say(line: str) -> None:
        print(line)
        record_property(_NAME, line)

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the lines of all tests, those of one test together."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    said = [
        (report.nodeid, [line for name, line in report.user_properties if name == _NAME])
        for report in reports
        if getattr(report, "when", None) == "call"
    ]
    if any(lines for _, lines in said):
        terminalreporter.section("figures")
    for nodeid, lines in said:
        if lines:
            terminalreporter.write_line(nodeid)
        for line in lines:
            terminalreporter.write_line(f"  {line}")
