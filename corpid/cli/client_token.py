"""`corpid client token`: leave for relying parties to register themselves."""

from typing import Annotated, Any

import typer

from corpid.cli.context import Run, Yes, command
from corpid.cli.output import Answer, Facts

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Initial access tokens: who has one may register itself (RFC 7591).",
)


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid client token``."""
    parent.add_typer(app, name="token")


@command(
    app,
    "client token create",
    example="corpid client token create --label 'Sample Bank' --count 2 --days 7",
)
async def create(
    run: Run,
    count: Annotated[int, typer.Option(help="Clients that may register by it.")] = 1,
    days: Annotated[int, typer.Option(help="Days that it is good for.")] = 7,
    label: Annotated[str, typer.Option(help="Who it is for.")] = "",
    profile: Annotated[
        list[str] | None,
        typer.Option(help="A profile that they may have; default: the settings'."),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope that they may have; default: the settings'.")
    ] = None,
    grant_type: Annotated[
        list[str] | None,
        typer.Option(help="A grant type that they may have; default: the settings'."),
    ] = None,
    no_pkce: Annotated[
        bool,
        typer.Option(
            "--no-pkce",
            help="Waive PKCE for confidential ones (profile oidc, old software).",
        ),
    ] = False,
    sector: Annotated[
        str | None,
        typer.Option(help="Sector of their identifiers, for good; default: the redirect host."),
    ] = None,
) -> Answer:
    """Make a token, shown this once: hand it to the developer by a way that only they can read."""
    from dataclasses import replace

    from corpid.services.initial_tokens import InitialTokens
    from corpid.wiring.registration import policy

    async with run.foundation() as base:
        wider = None
        if profile or scope or grant_type or no_pkce or sector is not None:
            usual = policy(base.settings)
            wider = replace(
                usual,
                profiles=tuple(profile or usual.profiles),
                scopes=tuple(scope or usual.scopes),
                grant_types=tuple(grant_type or usual.grant_types),
                pkce_required=not no_pkce,
                sector=sector,
            )
        tokens = InitialTokens(base.store, base.hasher, base.clock, base.random)
        made = await tokens.create(run.actor, count=count, days=days, label=label, policy=wider)
        off = base.settings.registration == "off"
    document = {**_document(made.record), "token": made.token}
    notes = ("CORPID_REGISTRATION is off: nobody can use it.",) if off else ()
    return Answer(
        document,
        [Facts(list(_document(made.record).items())), Facts([("token", made.token)], "Shown once")],
        notes,
    )


@command(app, "client token list", example="corpid client token list")
async def find(run: Run) -> Answer:
    """List the tokens, those that are used up or over too (30 days long)."""
    from corpid.cli import documents
    from corpid.services.initial_tokens import InitialTokens

    async with run.foundation() as base:
        tokens = InitialTokens(base.store, base.hasher, base.clock, base.random)
        document = [_document(one) for one in await tokens.list()]
    columns = ("token_id", "label", "uses_left", "expires_at", "ended_at")
    return Answer(document, [documents.table(document, columns)])


@command(app, "client token revoke", example="corpid client token revoke $TOKEN --yes")
async def revoke(
    run: Run,
    token_id: Annotated[str, typer.Argument(help="The token's id, from the list.")],
    yes: Yes = False,
) -> Answer:
    """End a token. Clients that registered by it stay; end them by `client disable`."""
    from corpid.cli.destroying import dry_run_note
    from corpid.services.initial_tokens import InitialTokens

    async with run.foundation() as base:
        tokens = InitialTokens(base.store, base.hasher, base.clock, base.random)
        known = await tokens.find(token_id)
        done = yes and await tokens.revoke(token_id, run.actor)
    already = known.ended_at is not None
    document = {"token_id": token_id, "done": done, "dry_run": not yes, "already": already}
    notes = () if yes else (dry_run_note(),)
    return Answer(document, [Facts(list(document.items()))], notes)


def _document(record: Any) -> dict[str, Any]:
    from corpid.cli import documents

    return {
        "token_id": record.token_id,
        "label": record.label or None,
        "uses_left": record.uses_left,
        "policy": None if record.policy is None else dict(record.policy),
        "created_at": documents.when(record.created_at),
        "expires_at": documents.when(record.expires_at),
        "ended_at": documents.when(record.ended_at),
    }
