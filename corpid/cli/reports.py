"""Reports of many rules, like those of a conformance suite."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from corpid.cli.output import Answer, Facts, Table

if TYPE_CHECKING:
    from corpid.services.client_check import Line


def report(about: Mapping[str, str], lines: "Sequence[Line]") -> Answer:
    """The lines, how many of each weight, and exit code 1 where one is a failure."""
    from corpid.services.client_check import Severity, worst

    counts = {one.value: sum(line.severity is one for line in lines) for one in Severity}
    document = {
        **about,
        "passed": counts["failure"] == 0,
        "counts": counts,
        "lines": [
            {
                "rule": line.rule,
                "section": line.section or None,
                "severity": line.severity.value,
                "says": line.says,
                "remedy": line.remedy or None,
            }
            for line in lines
        ],
    }
    rows = [
        [line.severity.value, line.rule, line.section, line.says, line.remedy] for line in lines
    ]
    table = Table(["", "rule", "section", "finding", "to mend it"], rows)
    failed = worst(lines) is Severity.FAILURE
    title = "Falls short" if failed else "Fit for it"
    level = about.get("level", "")
    summary = Facts([("level", level), *counts.items()], title)
    return Answer(document, [table, summary], exit_code=1 if failed else 0)
