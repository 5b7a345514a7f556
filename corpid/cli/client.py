"""`corpid client`: relying parties."""

from pathlib import Path
from typing import Annotated, Any

import typer

from corpid.cli import client_changes, client_token
from corpid.cli.client_documents import MAX_KEY_FILE, client_document, client_facts, read_jwks
from corpid.cli.context import At, Run, Yes, command, instant, read_input
from corpid.cli.output import Answer, CommandError, Facts, Table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Relying parties.")
Id = Annotated[str, typer.Argument(help="The client id.")]


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid client``."""
    client_changes.add_to(app)
    client_token.add_to(app)
    parent.add_typer(app, name="client")


@command(
    app,
    "client add",
    example="corpid client add --name-en 'Sample Bank' --profile fapi2 --jwks bank.jwks.json "
    "--redirect-uri https://bank.example/callback --scope openid --scope mandate",
)
async def add(
    run: Run,
    name_en: Annotated[str | None, typer.Option(help="Name that people see, English.")] = None,
    name_zh_hant: Annotated[str | None, typer.Option(help="Traditional Chinese.")] = None,
    name_zh_hans: Annotated[str | None, typer.Option(help="Simplified Chinese.")] = None,
    profile: Annotated[
        str, typer.Option(help="fapi2, fapi2-message-signing, haip or oidc.")
    ] = "fapi2",
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(help="https (http for loopback only), compared as it is; may be repeated."),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope it may ask for; default: openid.")
    ] = None,
    jwks: Annotated[
        Path | None,
        typer.Option(help="File with its public keys (JWK Set), - for standard input."),
    ] = None,
    jwks_uri: Annotated[
        str | None, typer.Option(help="https address of its public keys, instead of a file.")
    ] = None,
    sector_identifier_uri: Annotated[
        str | None,
        typer.Option(
            help="https address that lists all its redirect URIs; its host is the sector."
        ),
    ] = None,
    auth_method: Annotated[
        str | None,
        typer.Option(
            help="private_key_jwt, tls_client_auth, self_signed_tls_client_auth, "
            "client_secret_basic, client_secret_post, attest_jwt_client_auth, "
            "attest_jwt_client_auth_dpop, or none (public)."
        ),
    ] = None,
    wallet_provider: Annotated[
        str | None,
        typer.Option(help="For a wallet that is attested: whose (corpid wallet-provider list)."),
    ] = None,
    grant_type: Annotated[
        list[str] | None, typer.Option(help="Default: what the scopes need.")
    ] = None,
    sector: Annotated[
        str | None,
        typer.Option(help="Sector of its identifiers, for good; default: the redirect host."),
    ] = None,
    subject: Annotated[
        str, typer.Option(help="What sub is: organisation or representative.")
    ] = "organisation",
    min_acr: Annotated[str, typer.Option(help="Least assurance, loa1 to loa4.")] = "loa2",
    resource: Annotated[
        list[str] | None, typer.Option(help="An API it may ask access tokens for.")
    ] = None,
    serves: Annotated[
        list[str] | None, typer.Option(help="An API it is, whose tokens it may look up.")
    ] = None,
    details_type: Annotated[
        list[str] | None,
        typer.Option(help="A type of authorization_details it may ask for (RFC 9396)."),
    ] = None,
    default_max_age: Annotated[
        int | None, typer.Option(help="Seconds that a sign-in counts, if a request says nothing.")
    ] = None,
    default_acr: Annotated[
        list[str] | None, typer.Option(help="An acr value it would like, if a request says none.")
    ] = None,
    require_auth_time: Annotated[
        bool, typer.Option("--require-auth-time", help="Kept; every ID token has auth_time.")
    ] = False,
    dpop: Annotated[
        bool, typer.Option("--dpop", help="Its tokens are bound to a key; default in fapi2.")
    ] = False,
    par: Annotated[
        bool, typer.Option("--par", help="Pushed requests only (always in fapi2).")
    ] = False,
    no_pkce: Annotated[
        bool, typer.Option("--no-pkce", help="Waive PKCE (profile oidc, old software only).")
    ] = False,
    tls_subject_dn: Annotated[
        str | None,
        typer.Option(help="For tls_client_auth: the subject of its certificate (RFC 4514)."),
    ] = None,
    tls_san_dns: Annotated[
        str | None, typer.Option(help="For tls_client_auth: a DNS name in its certificate.")
    ] = None,
    tls_san_uri: Annotated[
        str | None, typer.Option(help="For tls_client_auth: a URI in its certificate.")
    ] = None,
    tls_san_ip: Annotated[
        str | None, typer.Option(help="For tls_client_auth: an address in its certificate.")
    ] = None,
    tls_san_email: Annotated[
        str | None, typer.Option(help="For tls_client_auth: an e-mail address in its certificate.")
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(help="For self_signed_tls_client_auth: its certificate (PEM)."),
    ] = None,
    certificate_bound: Annotated[
        bool,
        typer.Option("--certificate-bound", help="Its tokens are bound to its TLS certificate."),
    ] = False,
    mtls_aliases: Annotated[
        bool, typer.Option("--mtls-aliases", help="It goes to the mtls_endpoint_aliases.")
    ] = False,
    id_token_alg: Annotated[str, typer.Option(help="ES256, or RS256 in oidc.")] = "ES256",
    policy_uri: Annotated[str | None, typer.Option(help="Its privacy policy.")] = None,
    backchannel_delivery: Annotated[
        str | None, typer.Option(help="How it hears of answers by CIBA: poll (default) or ping.")
    ] = None,
    notification_endpoint: Annotated[str | None, typer.Option(help="Where a ping goes.")] = None,
    may_act: Annotated[
        str | None,
        typer.Option(help="The client that may exchange its tokens, as server of their resource."),
    ] = None,
    grant_management: Annotated[
        bool,
        typer.Option(
            "--grant-management", help="It may query, extend, replace and end its grants by name."
        ),
    ] = False,
    request_object_alg: Annotated[
        str | None, typer.Option(help="The algorithm of its request objects; default: any.")
    ] = None,
    signed_requests: Annotated[
        bool,
        typer.Option(
            "--signed-requests", help="Signed request objects only (always in message signing)."
        ),
    ] = False,
    request_uri: Annotated[
        list[str] | None,
        typer.Option(help="An https address at which it keeps a request object (oidc)."),
    ] = None,
    response_mode: Annotated[
        list[str] | None, typer.Option(help="A response mode it may use; default: the profile's.")
    ] = None,
    response_alg: Annotated[
        str, typer.Option(help="What its JWT responses are signed with: ES256, or RS256 in oidc.")
    ] = "ES256",
    introspection_alg: Annotated[
        str, typer.Option(help="What JWT introspection responses are signed with.")
    ] = "ES256",
    userinfo_alg: Annotated[
        str | None, typer.Option(help="UserInfo is a JWT signed with this; default: JSON.")
    ] = None,
    id_token_encryption: Annotated[
        str | None,
        typer.Option(help="ID tokens are encrypted: ECDH-ES, ECDH-ES+A256KW or RSA-OAEP-256."),
    ] = None,
    id_token_content: Annotated[
        str | None, typer.Option(help="A128CBC-HS256 (default), A128GCM or A256GCM.")
    ] = None,
    userinfo_encryption: Annotated[
        str | None, typer.Option(help="The same for a signed UserInfo.")
    ] = None,
    userinfo_content: Annotated[str | None, typer.Option(help="The same.")] = None,
    post_logout_redirect_uri: Annotated[
        list[str] | None,
        typer.Option(help="Where people may go after signing out; may be repeated."),
    ] = None,
    backchannel_logout_uri: Annotated[
        str | None, typer.Option(help="Where it takes logout tokens.")
    ] = None,
    backchannel_logout_session_required: Annotated[
        bool,
        typer.Option(
            "--backchannel-logout-session-required",
            help="It wants sid in logout tokens, which is always there.",
        ),
    ] = False,
    client_id: Annotated[str | None, typer.Option(help="Default: a random one.")] = None,
) -> Answer:
    """Register a relying party. A secret is made where its method needs one, and shown once."""
    from corpid.domain.errors import InvalidValue
    from corpid.domain.languages import Names
    from corpid.services.client_backchannel import BackchannelAuthentication
    from corpid.services.client_metadata import Registration
    from corpid.services.client_signing import Signing
    from corpid.services.client_tls import Tls
    from corpid.services.clients import Clients

    try:
        named = Names(name_en, name_zh_hant, name_zh_hans)
    except ValueError:
        raise InvalidValue("a client has a name in at least one language") from None
    certificate_names = {
        "tls_client_auth_subject_dn": tls_subject_dn,
        "tls_client_auth_san_dns": tls_san_dns,
        "tls_client_auth_san_uri": tls_san_uri,
        "tls_client_auth_san_ip": tls_san_ip,
        "tls_client_auth_san_email": tls_san_email,
    }
    wanted = Registration(
        names=named,
        profile=profile,
        redirect_uris=tuple(redirect_uri or ()),
        scopes=tuple(scope or ("openid",)),
        grant_types=tuple(grant_type or ()),
        auth_method=auth_method,
        jwks=_read_keys(jwks, certificate),
        jwks_uri=jwks_uri,
        sector_identifier_uri=sector_identifier_uri,
        sector=sector,
        subject=subject,
        min_acr=min_acr,
        pkce_required=not no_pkce,
        dpop=dpop,
        pushed_requests=par,
        id_token_alg=id_token_alg,
        resources=tuple(resource or ()),
        serves=tuple(serves or ()),
        policy_uri=policy_uri,
        tls=Tls(
            expectations={name: value for name, value in certificate_names.items() if value},
            bound_tokens=certificate_bound,
            aliases=mtls_aliases,
        ),
        detail_types=tuple(details_type or ()),
        may_act=may_act,
        backchannel=BackchannelAuthentication(backchannel_delivery, notification_endpoint),
        grant_management=grant_management,
        wallet_provider=wallet_provider,
        signing=Signing(
            request_object_signing_alg=request_object_alg,
            require_signed_request_object=signed_requests,
            request_uris=tuple(request_uri or ()),
            response_modes=None if response_mode is None else tuple(response_mode),
            authorization_signed_response_alg=response_alg,
            introspection_signed_response_alg=introspection_alg,
            userinfo_signed_response_alg=userinfo_alg,
            id_token_encrypted_response_alg=id_token_encryption,
            id_token_encrypted_response_enc=id_token_content,
            userinfo_encrypted_response_alg=userinfo_encryption,
            userinfo_encrypted_response_enc=userinfo_content,
        ),
        default_max_age=default_max_age,
        default_acr=tuple(default_acr or ()),
        require_auth_time=require_auth_time,
        post_logout_redirect_uris=tuple(post_logout_redirect_uri or ()),
        backchannel_logout_uri=backchannel_logout_uri,
        backchannel_logout_session_required=backchannel_logout_session_required,
    )
    async with run.foundation() as base:
        vouched = await _vouched_sector(base, wanted)
        clients = Clients(base.store, base.clock, base.random)
        added = await clients.add(wanted, run.actor, client_id=client_id, sector=vouched)
        notes = await _wallet_notes(base, wallet_provider)
    document = client_document(added.record)
    shown: list[Facts | Table] = [client_facts(document)]
    if added.secret is not None:
        document["client_secret"] = added.secret
        shown.append(Facts([("client_secret", added.secret)], "Shown once"))
    return Answer(document, shown, notes)


@command(app, "client show", example="corpid client show $CLIENT")
async def show(run: Run, client_id: Id, at: At = None) -> Answer:
    """Show a relying party as it is registered, or was."""
    from corpid.services.clients import Clients

    at_ms = instant(at)
    async with run.foundation() as base:
        record = await Clients(base.store, base.clock, base.random).show(client_id, at_ms)
    document = client_document(record)
    return Answer(document, [client_facts(document)])


@command(app, "client list", example="corpid client list")
async def find(run: Run) -> Answer:
    """List the relying parties."""
    from corpid.cli import documents
    from corpid.services.clients import Clients

    async with run.foundation() as base:
        records = await Clients(base.store, base.clock, base.random).list()
    document = [client_document(one) for one in records]
    columns = ("client_id", "client_name", "profile", "sector", "scope", "disabled_at")
    return Answer(document, [documents.table(document, columns)])


@command(app, "client disable", example="corpid client disable $CLIENT --yes")
async def disable(run: Run, client_id: Id, yes: Yes = False) -> Answer:
    """Disable a relying party at once; its tokens and consents end."""
    from corpid.cli.destroying import shown_or_done

    async with run.foundation() as base:
        revocation = base.revocation
        return await shown_or_done(
            f"Disable the client {client_id}",
            lambda: revocation.plan_disable_client(client_id, run.actor),
            lambda: revocation.disable_client(client_id, run.actor),
            yes=yes,
        )


async def _wallet_notes(base: Any, provider_id: str | None) -> tuple[str, ...]:
    """What still keeps a wallet from authenticating by attestation."""
    if provider_id is None:
        return ()
    notes = []
    trusted = await base.store.read.wallet_providers.trusted()
    if all(one.provider_id != provider_id for one in trusted):
        notes.append(f"The wallet provider {provider_id} is not trusted: wallet-provider add.")
    if base.settings.wallet_attestation == "off":
        notes.append("CORPID_WALLET_ATTESTATION is off: no wallet can authenticate by it.")
    return tuple(notes)


async def _vouched_sector(base: Any, wanted: Any) -> str | None:
    """The sector by the sector_identifier_uri, or None where there is none."""
    from corpid.services.sectors import vouched_sector
    from corpid.wiring.outbound import outbound

    uri = wanted.sector_identifier_uri
    if uri is None:
        return None
    return await vouched_sector(uri, wanted.redirect_uris, outbound(base.settings))


def _read_keys(jwks: Path | None, certificate: Path | None) -> dict[str, Any] | None:
    if jwks is not None and certificate is not None:
        raise CommandError("invalid_value", "give --jwks or --certificate, not both")
    if certificate is None:
        return None if jwks is None else read_jwks(jwks)
    from corpid.services.client_tls import jwks_of

    return jwks_of(read_input(certificate, max_bytes=MAX_KEY_FILE, what="the certificate file"))
