"""`corpid wallet-provider`: whose attestations of wallets and of keys are believed."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from corpid.cli.context import Run, Yes, command, read_input
from corpid.cli.output import Answer, CommandError, Facts

_MAX_FILE: Final = 64 * 1024
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Wallet providers whose attestations are believed.",
)


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid wallet-provider``."""
    parent.add_typer(app, name="wallet-provider")


@command(
    app,
    "wallet-provider add",
    example="corpid wallet-provider add sample-wallet --anchors wallet-anchors.pem "
    "--issuer https://wallet-provider.example",
)
async def add(
    run: Run,
    provider_id: Annotated[str, typer.Argument(help="A name for it, for good.")],
    anchors: Annotated[
        Path | None,
        typer.Option(help="Certificate authorities (PEM) of its x5c chains."),
    ] = None,
    jwks: Annotated[
        Path | None, typer.Option(help="Its public key set (JSON), for attestations with a kid.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(help="What iss of its attestations says; default: not compared.")
    ] = None,
    attests: Annotated[
        list[str] | None,
        typer.Option(help="What it is believed about: wallets, keys; default: both."),
    ] = None,
    title: Annotated[str, typer.Option(help="Who that is.")] = "",
) -> Answer:
    """Trust a wallet provider. Every running process believes it from the next request on."""
    from corpid.services.wallet_providers import ATTESTS, WalletProviders

    pem = None if anchors is None else read_input(anchors, max_bytes=_MAX_FILE, what="the file")
    async with run.foundation() as base:
        added = await WalletProviders(base.store, base.clock).add(
            provider_id,
            run.actor,
            title=title,
            issuer=issuer,
            anchors_pem=pem,
            jwks=None if jwks is None else _json(jwks),
            attests=tuple(attests or ATTESTS),
        )
    document = _document(added)
    return Answer(document, [Facts(_facts(document), "Trusted from now on")])


@command(app, "wallet-provider list", example="corpid wallet-provider list --past")
async def find(
    run: Run,
    past: Annotated[bool, typer.Option("--past", help="Those that were trusted, too.")] = False,
) -> Answer:
    """List the wallet providers that are trusted."""
    from corpid.cli import documents
    from corpid.services.wallet_providers import WalletProviders

    async with run.foundation() as base:
        found = await WalletProviders(base.store, base.clock).list(past=past)
    document = [_document(one) for one in found]
    columns = ("provider_id", "title", "issuer", "attests", "added_at", "removed_at")
    return Answer(document, [documents.table(document, columns)])


@command(app, "wallet-provider show", example="corpid wallet-provider show sample-wallet")
async def show(run: Run, provider_id: Annotated[str, typer.Argument(help="Its name.")]) -> Answer:
    """Show one that is trusted, with its trust anchors."""
    from corpid.services.wallet_providers import WalletProviders

    async with run.foundation() as base:
        found = await WalletProviders(base.store, base.clock).find(provider_id)
    document = _document(found)
    return Answer(document, [Facts(_facts(document))])


@command(app, "wallet-provider remove", example="corpid wallet-provider remove sample-wallet --yes")
async def remove(
    run: Run,
    provider_id: Annotated[str, typer.Argument(help="Its name.")],
    yes: Yes = False,
) -> Answer:
    """Trust it no longer: its wallets and the keys that it attests are refused from then on.

    Credentials that were issued stay as they are.
    """
    from corpid.cli.destroying import dry_run_note
    from corpid.services.wallet_providers import WalletProviders

    async with run.foundation() as base:
        providers = WalletProviders(base.store, base.clock)
        await providers.find(provider_id)
        if yes:
            await providers.remove(provider_id, run.actor)
    document = {"provider_id": provider_id, "done": yes, "dry_run": not yes}
    notes = () if yes else (dry_run_note(),)
    return Answer(document, [Facts(list(document.items()))], notes)


def _json(path: Path) -> Any:
    import orjson

    try:
        found = orjson.loads(read_input(path, max_bytes=_MAX_FILE, what="the key set"))
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise CommandError("unreadable_file", f"the key set {path} is not a JSON object")
    return found


def _document(provider: Any) -> dict[str, Any]:
    from corpid.cli import documents

    return {
        "provider_id": provider.provider_id,
        "title": provider.title or None,
        "issuer": provider.issuer,
        "attests": list(provider.attests),
        "anchors": [_anchor(one) for one in provider.certificates],
        "jwks": provider.jwks,
        "added_at": documents.when(provider.added_at),
        "removed_at": documents.when(provider.removed_at),
    }


def _anchor(text: str) -> dict[str, str]:
    import base64

    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    found = x509.load_der_x509_certificate(base64.b64decode(text))
    return {
        "subject": found.subject.rfc4514_string(),
        "sha256": found.fingerprint(SHA256()).hex(),
        "not_after": found.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
    }


def _facts(document: dict[str, Any]) -> list[tuple[str, Any]]:
    keys = document["jwks"]
    return [
        *((name, document[name]) for name in ("provider_id", "title", "issuer")),
        ("attests", " ".join(document["attests"])),
        *(("anchor", f"{one['subject']} ({one['sha256']})") for one in document["anchors"]),
        ("keys", None if keys is None else len(keys["keys"])),
        ("added_at", document["added_at"]),
    ]
