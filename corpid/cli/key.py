"""`corpid key`: the signing keys."""

from typing import Annotated, Any, cast

import typer

from corpid.cli.context import At, Run, Yes, command, instant
from corpid.cli.output import Answer, Facts, Table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Signing keys.")


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid key``."""
    parent.add_typer(app, name="key")


@command(app, "key list", example="corpid key list")
async def find(run: Run, at: At = None) -> Answer:
    """List the keys with their states; private parts are never shown."""
    from corpid.cli import documents
    from corpid.services.key_rotation import KeyRotation

    at_ms = instant(at)
    async with run.foundation() as base:
        found = await KeyRotation(base.store, base.master, base.clock, base.certificates).keys(
            at_ms
        )
    document = [
        {
            "kid": one.record.kid,
            "purpose": one.record.purpose,
            "alg": one.record.alg,
            "state": one.state,
            "publish_at": documents.when(one.record.publish_at),
            "activate_at": documents.when(one.record.activate_at),
            "retire_at": documents.when(one.record.retire_at),
            "remove_at": documents.when(one.record.remove_at),
            "destroyed_at": documents.when(one.record.destroyed_at),
        }
        for one in found
    ]
    columns = ("purpose", "alg", "state", "kid", "activate_at", "retire_at", "remove_at")
    return Answer(document, [documents.table(document, columns)])


@command(app, "key rotate", example="corpid key rotate tokens")
async def rotate(
    run: Run,
    purpose: Annotated[
        str, typer.Argument(help="tokens, credentials, status, metadata, mdoc or encryption.")
    ],
    alg: Annotated[str, typer.Option(help="ES256, RS256, or ECDH-ES for encryption.")] = "ES256",
    now: Annotated[
        bool,
        typer.Option(
            "--now", help="Emergency: it signs at once; who holds our old key set refuses it."
        ),
    ] = False,
    withdraw: Annotated[
        bool,
        typer.Option(
            "--withdraw",
            help="With --now: the old keys leave the key set too; what they signed is refused.",
        ),
    ] = False,
    yes: Yes = False,
) -> Answer:
    """Make a new key: published now, signing in 15 minutes, when every verifier knows it.

    The key before it stops then and stays published until the last thing it signed expires.
    With --now nothing is done without --yes.
    """
    from corpid.cli import documents
    from corpid.cli.destroying import dry_run_note
    from corpid.services.key_rotation import KeyRotation
    from keys.ring import Purpose

    ring = cast(Purpose, purpose)
    dry = now and not yes
    async with run.foundation() as base:
        rotation = KeyRotation(base.store, base.master, base.clock, base.certificates)
        done, bare = None, False
        if dry:
            plan = await rotation.plan(ring, alg, at_once=now)
        else:
            done = await rotation.rotate(ring, alg, run.actor, at_once=now, withdrawn=withdraw)
            plan = done.plan
            bare = await base.certificates.lacks(done.new_kid)
    document: dict[str, Any] = {
        "purpose": purpose,
        "alg": alg,
        "dry_run": dry,
        "kid": None if done is None else done.new_kid,
        "publish_at": documents.when(plan.publish_at),
        "activate_at": documents.when(plan.activate_at),
        "ends": [
            {
                "kid": one.kid,
                "retire_at": documents.when(one.retire_at),
                "remove_at": documents.when(plan.publish_at if withdraw else one.remove_at),
            }
            for one in plan.endings
        ],
        "destroyed": [] if done is None else list(done.destroyed),
    }
    shown: list[Facts | Table] = [
        documents.facts(document, leave_out=("ends",)),
        documents.table(document["ends"], ("kid", "retire_at", "remove_at"), title="Keys that end"),
    ]
    notes = [dry_run_note()] if dry else []
    if bare:
        notes.append(
            "The new key has no certificate, and those before it have: send `corpid pki csr` to "
            "your authority, and import what it issues before the key signs."
        )
    return Answer(document, shown, notes)
