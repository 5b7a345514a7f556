"""Commands that end something: shown first, done with ``--yes``."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from corpid.cli.output import Answer, Facts

if TYPE_CHECKING:
    from corpid.services.revocation_effects import RevocationReport

_COUNTS: Final = (
    "mandates",
    "representations",
    "credentials",
    "status_entries",
    "authorizations",
    "sessions",
    "consents",
    "offers",
    "logouts",
)


async def shown_or_done(
    what: str,
    plan: Callable[[], Awaitable["RevocationReport"]],
    act: Callable[[], Awaitable["RevocationReport"]],
    *,
    yes: bool,
) -> Answer:
    """The report of the act, or of its plan; ``what`` names the act for people."""
    report = await (act() if yes else plan())
    counts = {name: value for name, value in asdict(report).items() if name in _COUNTS}
    document: dict[str, Any] = {
        "act": report.act,
        "target": report.target,
        "done": yes and not report.already,
        "dry_run": not yes,
        "already": report.already,
        "ends": counts,
    }
    reached = [(name.replace("_", " "), value) for name, value in counts.items() if value]
    title = f"{what}: {_tense(report, yes=yes)}"
    shown = Facts(reached or [("nothing", "else hangs on it")], title)
    notes = () if yes or report.already else (dry_run_note(),)
    return Answer(document, () if report.already else (shown,), _already(report, what) or notes)


def dry_run_note() -> str:
    """What a person is told after a command that only showed what it would do."""
    return "Nothing was changed. Give --yes to do it."


def _tense(report: "RevocationReport", *, yes: bool) -> str:
    return "done" if yes else "this would be touched"


def _already(report: "RevocationReport", what: str) -> tuple[str, ...]:
    return (f"{what}: that was so already, nothing was changed.",) if report.already else ()
