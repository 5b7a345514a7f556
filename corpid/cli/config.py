"""`corpid config`: the settings, where each comes from, and whether they work."""

import os
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import typer

from corpid.cli.context import Run, command
from corpid.cli.output import Answer, Facts, Table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Settings.")
_SECRET: Final = frozenset({"master_key"})
_PREFIX: Final = "CORPID_"


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid config``."""
    parent.add_typer(app, name="config")


@command(app, "config show", example="corpid config show")
async def show(run: Run) -> Answer:
    """Show every setting with its value and where it comes from; secrets are never shown."""
    from corpid.settings import Settings

    settings = run.settings()
    in_file = _names_in(run.env_file)
    in_environment = {name.upper() for name in os.environ}
    document = []
    for name, field in Settings.model_fields.items():
        variable = _PREFIX + name.upper()
        source = "default"
        if variable in in_environment:
            source = "environment"
        elif variable in in_file:
            source = str(run.env_file)
        document.append(
            {
                "name": name,
                "variable": variable,
                "value": shown_value(name, getattr(settings, name)),
                "source": source,
                "description": field.description,
            }
        )
    rows = [[one["variable"], _text(one["value"]), one["source"]] for one in document]
    return Answer(document, [Table(["setting", "value", "from"], rows)])


@command(app, "config check", example="corpid config check")
async def check(run: Run) -> Answer:
    """Check that the settings are complete, the files readable, the database the right one."""
    settings = run.settings()
    _check_files(settings)
    from corpid.wiring.haip import require

    async with run.foundation() as base:
        keys = len(await base.store.read.operations.keys())
        await require(base)
    document: dict[str, Any] = {
        "ok": True,
        "issuer": settings.issuer,
        "database": without_password(settings.database_url),
        "keys": keys,
    }
    return Answer(document, [Facts(list(document.items()), "The settings work")])


@command(app, "config haip", example="corpid config haip")
async def haip(run: Run) -> Answer:
    """Report line by line what falls short of HAIP 1.0 in the credential issuer, and the remedy."""
    from corpid.cli.reports import report
    from corpid.services.haip import check_issuer
    from corpid.wiring.haip import issuer_facts
    from oidc.profiles import HAIP

    async with run.foundation() as base:
        facts = await issuer_facts(base)
    return report({"issuer": run.settings().issuer, "level": HAIP}, check_issuer(facts))


def shown_value(name: str, value: object) -> Any:
    """A setting's value as it may be shown."""
    if value is None:
        return None
    if name in _SECRET:
        return "(set, not shown)"
    if name == "database_url":
        return without_password(str(value))
    if isinstance(value, (str, int, bool, dict)):
        return value
    if isinstance(value, tuple):
        return list(value)
    return str(value)


def without_password(url: str) -> str:
    """A database URL that may be shown: without password, and without the query's secrets."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return url
    user, at, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    hidden = ":(not shown)" if ":" in user else ""
    query = "?(not shown)" if parts.query else ""
    return f"{parts.scheme}://{name}{hidden}{at}{host}{parts.path}{query}"


def _check_files(settings: Any) -> None:
    from corpid.errors import ConfigurationError
    from corpid.wiring.mutual_tls import mutual_tls

    for name in ("tls_certificate", "tls_key", "outbound_authorities"):
        path: Path | None = getattr(settings, name)
        if path is not None and not os.access(path, os.R_OK):
            raise ConfigurationError(f"{_PREFIX}{name.upper()}: {path} cannot be read")
    mutual_tls(settings)


def _names_in(env_file: Path | None) -> set[str]:
    """The names that a settings file sets."""
    if env_file is None:
        return set()
    lines = env_file.read_text("utf-8").splitlines()
    named = (line.removeprefix("export ").partition("=") for line in lines)
    return {name.strip().upper() for name, equals, _ in named if equals}


def _text(value: object) -> str:
    return "" if value is None else str(value)
