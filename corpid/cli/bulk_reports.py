"""What a bulk command tells at its end."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from corpid.cli.destroying import dry_run_note
from corpid.cli.output import Answer, Facts

if TYPE_CHECKING:
    from corpid.services.bulk import BulkReport

_SHOWN: Final = 20


def bulk_answer(report: "BulkReport", about: Mapping[str, Any], *, yes: bool) -> Answer:
    """Counts, and the bad rows with line and reason."""
    counts = {"rows": report.rows, **report.counts, "refused": report.refused}
    document = {
        **about,
        "dry_run": not yes,
        **counts,
        "problems": [asdict(one) for one in report.problems],
    }
    notes = [f"line {one.line}: {one.reason}" for one in report.problems[:_SHOWN]]
    if report.refused > _SHOWN:
        notes.append(f"… and {report.refused - _SHOWN} more rows (--json lists up to 1000)")
    if not yes:
        notes.append(dry_run_note())
    return Answer(document, [Facts([*about.items(), *counts.items()])], notes)
