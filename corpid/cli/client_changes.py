"""`corpid client update`, `enable`, `rotate-secret`, `check`: a relying party after its start."""

from pathlib import Path
from typing import Annotated, Any

import typer

from corpid.cli.context import Run, Yes, command
from corpid.cli.output import Answer, Facts, Table

Id = Annotated[str, typer.Argument(help="The client id.")]


def add_to(app: typer.Typer) -> None:
    """Put these commands under ``corpid client``."""
    command(
        app, "client update", example="corpid client update $CLIENT --scope openid --scope mandate"
    )(update)
    command(app, "client rotate-secret", example="corpid client rotate-secret $SHOP --yes")(
        rotate_secret
    )
    command(app, "client enable", example="corpid client enable $CLIENT --yes")(enable)
    command(app, "client check", example="corpid client check $CLIENT")(check)


async def update(
    run: Run,
    client_id: Id,
    name_en: Annotated[str | None, typer.Option(help="Name that people see, English.")] = None,
    name_zh_hant: Annotated[str | None, typer.Option(help="Traditional Chinese.")] = None,
    name_zh_hans: Annotated[str | None, typer.Option(help="Simplified Chinese.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="fapi2, fapi2-message-signing, haip or oidc.")
    ] = None,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="All of them, instead of those that are registered.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="All of them.")] = None,
    grant_type: Annotated[list[str] | None, typer.Option(help="All of them.")] = None,
    jwks: Annotated[
        Path | None, typer.Option(help="File with its public keys, - for standard input.")
    ] = None,
    jwks_uri: Annotated[str | None, typer.Option(help="Where its public keys are.")] = None,
    auth_method: Annotated[str | None, typer.Option(help="How it authenticates.")] = None,
    wallet_provider: Annotated[
        str | None, typer.Option(help="Who attests it, if that is how it authenticates.")
    ] = None,
    min_acr: Annotated[str | None, typer.Option(help="Least assurance, loa1 to loa4.")] = None,
    resource: Annotated[list[str] | None, typer.Option(help="All of them.")] = None,
    serves: Annotated[list[str] | None, typer.Option(help="All of them.")] = None,
    dpop: Annotated[
        bool | None, typer.Option("--dpop/--no-dpop", help="Its tokens are bound to a key.")
    ] = None,
    par: Annotated[
        bool | None, typer.Option("--par/--no-par", help="Pushed requests only.")
    ] = None,
    pkce: Annotated[bool | None, typer.Option("--pkce/--no-pkce", help="PKCE is needed.")] = None,
    grant_management: Annotated[
        bool | None,
        typer.Option("--grant-management/--no-grant-management", help="It manages its grants."),
    ] = None,
    id_token_alg: Annotated[str | None, typer.Option(help="ES256, or RS256 in oidc.")] = None,
    policy_uri: Annotated[str | None, typer.Option(help="Its privacy policy.")] = None,
    backchannel_logout_uri: Annotated[
        str | None, typer.Option(help="Where it takes logout tokens.")
    ] = None,
) -> Answer:
    """Change what is named of a registration; what was before stays in its history."""
    from dataclasses import replace

    from corpid.cli.client_documents import client_document, client_facts, read_jwks
    from corpid.domain.languages import Names
    from corpid.services.client_backchannel import BackchannelAuthentication
    from corpid.services.client_changes import registered
    from corpid.services.client_metadata import CIBA
    from corpid.services.clients import Clients
    from oidc.attesters import METHODS as BY_ATTESTATION
    from oidc.mutual_tls import TLS_CLIENT_AUTH

    several = {
        "redirect_uris": redirect_uri,
        "scopes": scope,
        "grant_types": grant_type,
        "resources": resource,
        "serves": serves,
    }
    changes: dict[str, Any] = {
        "profile": profile,
        "auth_method": auth_method,
        "wallet_provider": wallet_provider,
        "min_acr": min_acr,
        "dpop": dpop,
        "pushed_requests": par,
        "pkce_required": pkce,
        "grant_management": grant_management,
        "id_token_alg": id_token_alg,
        "policy_uri": policy_uri,
        "backchannel_logout_uri": backchannel_logout_uri,
        **{name: None if given is None else tuple(given) for name, given in several.items()},
    }
    given = {name: value for name, value in changes.items() if value is not None}
    if jwks is not None:
        given |= {"jwks": read_jwks(jwks), "jwks_uri": jwks_uri}
    elif jwks_uri is not None:
        given |= {"jwks": None, "jwks_uri": jwks_uri}
    async with run.foundation() as base:
        clients = Clients(base.store, base.clock, base.random)
        record = await clients.show(client_id)
        known = registered(record)
        names = Names(
            name_en or known.names.en,
            name_zh_hant or known.names.zh_hant,
            name_zh_hans or known.names.zh_hans,
        )
        if auth_method not in (None, TLS_CLIENT_AUTH):
            given["tls"] = replace(known.tls, expectations={})
        if auth_method is not None and auth_method not in BY_ATTESTATION:
            given["wallet_provider"] = None
        if grant_type is not None and CIBA not in grant_type:
            given["backchannel"] = BackchannelAuthentication()
        wanted = replace(known, names=names, **given)
        changed = await clients.replace(client_id, wanted, run.actor, sector=record.sector)
    document = client_document(changed.record)
    shown: list[Facts | Table] = [client_facts(document)]
    if changed.secret is not None:
        document["client_secret"] = changed.secret
        shown.append(Facts([("client_secret", changed.secret)], "Shown once"))
    return Answer(document, shown)


async def rotate_secret(run: Run, client_id: Id, yes: Yes = False) -> Answer:
    """Give a client another secret, shown this once; the present one ends at once."""
    from corpid.cli.destroying import dry_run_note
    from corpid.domain.errors import NotAllowed
    from corpid.services.client_changes import registered
    from corpid.services.clients import Clients

    async with run.foundation() as base:
        clients = Clients(base.store, base.clock, base.random)
        record = await clients.show(client_id)
        if record.secret_hash is None:
            raise NotAllowed("this client has no secret")
        document: dict[str, Any] = {"client_id": client_id, "done": yes, "dry_run": not yes}
        if yes:
            changed = await clients.replace(
                client_id, registered(record), run.actor, new_secret=True, sector=record.sector
            )
            document["client_secret"] = changed.secret
    notes = () if yes else (dry_run_note(),)
    return Answer(document, [Facts(list(document.items()))], notes)


async def enable(run: Run, client_id: Id, yes: Yes = False) -> Answer:
    """Let a disabled client work again; its tokens and consents stay ended."""
    from corpid.cli.destroying import dry_run_note
    from corpid.services.client_changes import enable as enabled
    from corpid.services.clients import Clients

    async with run.foundation() as base:
        record = await Clients(base.store, base.clock, base.random).show(client_id)
        if yes:
            await enabled(base.store, base.clock, client_id, run.actor)
    document = {
        "client_id": client_id,
        "done": yes,
        "dry_run": not yes,
        "already": record.disabled_at is None,
    }
    notes = () if yes else (dry_run_note(),)
    return Answer(document, [Facts(list(document.items()))], notes)


async def check(
    run: Run,
    client_id: Id,
    level: Annotated[
        str,
        typer.Option(help="fapi2, or fapi2-message-signing to demand that too; haip for a wallet."),
    ] = "fapi2",
) -> Answer:
    """Report line by line what in a registration falls short of FAPI 2.0 or HAIP 1.0, and how to
    mend it.
    """
    from corpid.cli.reports import report
    from corpid.domain.errors import InvalidValue
    from corpid.services.client_check import LEVELS, Checked
    from corpid.services.client_check import check as checked
    from corpid.services.clients import Clients
    from corpid.services.haip import check_client
    from corpid.services.wallet_providers import trusted_by_certificates
    from oidc.profiles import HAIP

    if level not in (*LEVELS, HAIP):
        raise InvalidValue(f"the level is one of {', '.join((*LEVELS, HAIP))}")
    async with run.foundation() as base:
        record = await Clients(base.store, base.clock, base.random).show(client_id)
        fetched = await _published_keys(base.settings, record.metadata.get("jwks_uri"))
        trusted = await trusted_by_certificates(base.store, record.metadata.get("wallet_provider"))
    client = Checked(
        metadata=record.metadata,
        has_secret=record.secret_hash is not None,
        disabled=record.disabled_at is not None,
        fetched_keys=fetched,
    )
    lines = check_client(client, trusted=trusted) if level == HAIP else checked(client, level)
    return report({"client_id": client_id, "level": level}, lines)


async def _published_keys(settings: Any, uri: str | None) -> Any:
    """What is at the jwks_uri, or why there is nothing."""
    from corpid.wiring.outbound import outbound
    from keys.json_object import loads
    from oidc.ports import FetchFailed
    from oidc.provider.client_keys import MAX_BYTES

    if uri is None:
        return None
    try:
        return loads((await outbound(settings).get(uri, max_bytes=MAX_BYTES)).body)
    except (FetchFailed, ValueError) as error:
        return f"{uri}: {error}"
