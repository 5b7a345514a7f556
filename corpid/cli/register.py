"""`corpid register`: what official registers say."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from corpid.cli.context import At, Run, command, instant
from corpid.cli.output import REFUSED, Answer, CommandError, Facts
from corpid.cli.progress import count_lines, progress_bar

if TYPE_CHECKING:
    from corpid.services.register_import import ImportReport

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Official registers.")
_SHOWN: Final = 20


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid register``."""
    parent.add_typer(app, name="register")


@command(app, "register import", example="corpid register import companies.json --as-of 2026-11-01")
async def load(
    run: Run,
    file: Annotated[
        Path | None,
        typer.Argument(help="JSON array (Companies Registry's open data) or CSV with its names."),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Instead of a file: the fictional sample businesses.")
    ] = False,
    source: Annotated[
        str, typer.Option(help="Name of the source, kept with every fact.")
    ] = "hk.companies_registry",
    as_of: Annotated[
        str | None, typer.Option(help="When the source said so (date or instant); default: today.")
    ] = None,
) -> Answer:
    """Import a register: adds what is new, replaces what changed, keeps the history.

    Rows that cannot be read are listed with line and reason; the others are imported. Importing
    a file again writes nothing; after an interruption, run it again.
    """
    from corpid.domain.dates import hong_kong_date
    from corpid.registers import sample as samples
    from corpid.registers.file import MalformedRegisterFile, read_rows
    from corpid.services.register_import import RegisterImport
    from corpid.storage.register_rows import SqlRegisterRows

    if (file is None) == (not sample):
        raise CommandError("invalid_value", "name a file, or give --sample")
    fault = None
    async with run.foundation() as base:
        today = hong_kong_date(int(base.clock() * 1000)).isoformat()
        rows: Any
        if file is None:
            rows = enumerate(samples.load_sample(), 1)
        else:
            _check_file(file, as_of)
            rows = read_rows(file, source=source, as_of=as_of or today)
        # A file on one line has no position that could be shown.
        lines = 0 if file is None else count_lines(file)
        with progress_bar(lines if lines > 1 else None) as show:
            importing = RegisterImport(
                base.store,
                SqlRegisterRows(base.database, base.clock, base.random),
                base.clock,
                base.random,
                actor=run.actor,
                source=samples.SOURCE if file is None else source,
                progress=lambda report: show(report.line, _text(report)),
            )
            try:
                await importing.run(rows)
            except MalformedRegisterFile as error:
                fault = error
    return _imported(importing.report, fault)


@command(app, "register show", example="corpid register show 99000001")
async def show(
    run: Run,
    number: Annotated[str, typer.Argument(help="The business's number, in any usual spelling.")],
    at: At = None,
) -> Answer:
    """Show what the imported registers say of a business, with source and time."""
    from corpid.cli import documents
    from corpid.services.organisations import Organisations

    at_ms = instant(at)
    async with run.foundation() as base:
        view = await Organisations(base.store, base.clock, base.random).show(number, at_ms)
    document = {
        "number": view.organisation.number,
        "known_at": documents.when(view.at_ms),
        **documents.registration(view.organisation.registration),
        "identifiers": [documents.identifier(one) for one in view.identifiers],
        "branches": [documents.branch(one) for one in view.branches],
    }
    return Answer(
        document,
        [
            documents.facts(document, leave_out=("identifiers", "branches")),
            documents.table(
                document["identifiers"], ("scheme", "value", "source", "as_of"), title="Numbers"
            ),
        ],
    )


def _imported(report: "ImportReport", fault: Any) -> Answer:
    document: dict[str, Any] = {**asdict(report), "complete": fault is None}
    rows = [(name, value) for name, value in document.items() if name not in ("problems", "line")]
    notes = [
        f"line {one.line}: {one.reason}" + (f" ({one.number_text})" if one.number_text else "")
        for one in report.problems[:_SHOWN]
    ]
    if report.bad > _SHOWN:
        notes.append(f"… and {report.bad - _SHOWN} more rows (--json lists up to 1000)")
    exit_code = 0
    if fault is not None:
        document |= {"error": fault.code, "message": str(fault)}
        notes.append(
            f"corpid: {fault}. The rows before it were imported; mend the file and run it again"
        )
        exit_code = REFUSED
    return Answer(document, [Facts(rows)], notes, exit_code)


def _text(report: "ImportReport") -> str:
    return f"{report.rows:,} rows, {report.added:,} new, {report.bad:,} unusable"


def _check_file(file: Path, as_of: str | None) -> None:
    from datetime import datetime

    if not file.is_file():
        raise CommandError("unreadable_file", f"there is no file {file}")
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise CommandError("unreadable_file", f"{file} cannot be read: {error.strerror}") from None
    if as_of is not None:
        try:
            datetime.fromisoformat(as_of)
        except ValueError:
            raise CommandError(
                "invalid_value", f"--as-of {as_of!r} is no date such as 2026-11-01"
            ) from None
