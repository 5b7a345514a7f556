"""The command `corpid`: one file per noun, loaded in a few milliseconds."""

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from corpid.cli import (
    client,
    config,
    credential,
    credential_issue,
    db,
    init,
    issuance,
    key,
    mandate,
    offer,
    organisation,
    person,
    pki,
    register,
    representation,
    serve,
    session,
    status,
    verify,
    wallet_provider,
)
from corpid.cli.output import OK, USAGE, emit_error
from corpid.version import __version__

_JSON = "--json"


class JsonAwareGroup(TyperGroup):
    """Says a wrong usage in JSON too, where JSON was asked for."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; see ``typer.core.TyperGroup.main``."""
        given = list(sys.argv[1:] if args is None else args)
        as_json = standalone_mode and _JSON in given
        try:
            outcome = super().main(
                given,
                prog_name,
                complete_var,
                standalone_mode and not as_json,
                windows_expand_args,
                **extra,
            )
        except typer.TyperException as error:
            if not as_json:
                raise
            emit_error("usage", error.format_message(), as_json=True)
            sys.exit(USAGE)
        except typer.Abort:
            if not as_json:
                raise
            emit_error("aborted", "aborted", as_json=True)
            sys.exit(1)
        if as_json:
            sys.exit(outcome if isinstance(outcome, int) else OK)
        return outcome


app = typer.Typer(
    name="corpid",
    cls=JsonAwareGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Run and look after a Corp ID service.",
    epilog="Exit codes: 0 done, 1 refused or invalid, 2 wrong usage, 3 undetermined, 4 not found, "
    "5 database not to be had now.",
)
for noun in (
    init,
    issuance,
    db,
    config,
    register,
    organisation,
    person,
    session,
    representation,
    mandate,
    client,
    wallet_provider,
    offer,
    credential_issue,
    credential,
    key,
    pki,
    status,
    verify,
    serve,
):
    noun.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"corpid {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_version, help="Show the version."
    ),
) -> None:
    """Run and look after a Corp ID service."""


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
