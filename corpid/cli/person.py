"""`corpid person`: people and how they sign in."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from corpid.cli.context import At, Reason, Run, Yes, command, instant, read_input
from corpid.cli.output import Answer, CommandError, Facts, Plain

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="People and how they sign in.")
Reference = Annotated[str, typer.Argument(help="Username or internal id.")]
_MAX_SECRET: Final = 4096
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid person``."""
    parent.add_typer(app, name="person")


@command(
    app,
    "person add",
    example="corpid person add --name-en 'Sample Person' --username sample.person "
    "--generate-password --totp",
)
async def add(
    run: Run,
    name_en: Annotated[str | None, typer.Option(help="Name in English.")] = None,
    name_zh_hant: Annotated[str | None, typer.Option(help="Name in Traditional Chinese.")] = None,
    name_zh_hans: Annotated[str | None, typer.Option(help="Name in Simplified Chinese.")] = None,
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    phone: Annotated[str | None, typer.Option(help="Telephone, as +85212345678.")] = None,
    username: Annotated[str | None, typer.Option(help="Username of the password.")] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(help="The password's file, - for standard input; asked for if not given."),
    ] = None,
    generate_password: Annotated[
        bool, typer.Option("--generate-password", help="Make a password and show it once.")
    ] = False,
    totp: Annotated[
        bool, typer.Option("--totp", help="Also one-time codes; the secret is shown once.")
    ] = False,
    totp_secret_file: Annotated[
        Path | None, typer.Option(help="Take this secret (base32) for one-time codes.")
    ] = None,
) -> Answer:
    """Add a person. Secrets are never taken from the command line, where others could see them."""
    from corpid.cli import documents
    from corpid.domain.errors import InvalidValue
    from corpid.domain.languages import Names
    from corpid.services.passwords import Passwords
    from corpid.services.people import NewPerson, People
    from corpid.services.totp import TotpSecrets, new_secret, provisioning_uri, secret_text

    async with run.foundation() as base:
        password, generated = _password(
            username, password_file, base.random if generate_password else None
        )
        secret = _totp_secret(totp_secret_file)
        if secret is None and totp:
            secret = new_secret(base.random)
        try:
            known_as = Names(name_en, name_zh_hant, name_zh_hans)
        except ValueError:
            raise InvalidValue("a person has a name in at least one language") from None
        new = NewPerson(known_as, email, phone, username, password, secret)
        passwords = Passwords(base.settings.argon2_memory_kib, threads=1)
        try:
            people = People(
                base.store,
                base.clock,
                base.random,
                hash_password=passwords.hash,
                seal_totp=TotpSecrets(base.master).seal,
            )
            added = await people.add(new, run.actor)
        finally:
            passwords.close()
        issuer = base.settings.issuer
    document: dict[str, Any] = {**documents.person(added), "username": username}
    shown: list[Facts | Plain] = [documents.facts(document)]
    notes = []
    if generated:
        document["password"] = password
        shown.append(Facts([("password", password)], "Shown once"))
    if secret is not None and totp_secret_file is None:
        uri = provisioning_uri(secret, username or added.person_id, issuer.split("://")[-1])
        document |= {"totp_secret": secret_text(secret), "totp_uri": uri}
        shown += [Facts([("one-time-code secret", secret_text(secret))], "Shown once"), Plain(uri)]
        notes.append("Scan it into an authenticator app now; it cannot be shown again.")
    return Answer(document, shown, notes)


@command(app, "person show", example="corpid person show sample.person")
async def show(run: Run, person: Reference, at: At = None) -> Answer:
    """Show a person, what they may sign in with, and for whom they act."""
    from corpid.cli import documents
    from corpid.domain.dates import hong_kong_date
    from corpid.services.people import show_person

    at_ms = instant(at)
    async with run.foundation() as base:
        view = await show_person(base.store.read, person, int(base.clock() * 1000), at_ms)
    day = hong_kong_date(view.at_ms).isoformat()
    document = {
        **documents.person(view.person),
        "username": view.username,
        "one_time_codes": view.has_totp,
        "known_at": documents.when(view.at_ms),
        "representations": [documents.representation(one) for one in view.representations],
        "mandates": [documents.mandate(one, one.state_on(day).value) for one in view.mandates],
    }
    return Answer(
        document,
        [
            documents.facts(document, leave_out=("representations", "mandates")),
            documents.table(
                document["representations"],
                ("representation_id", "organisation_id", "role", "valid_from", "valid_to"),
                title="Representations",
            ),
            documents.table(
                document["mandates"],
                ("mandate_id", "organisation_id", "state", "powers", "valid_until"),
                title="Mandates held",
            ),
        ],
    )


@command(app, "person unblock", example="corpid person unblock sample.person")
async def unblock(run: Run, person: Reference) -> Answer:
    """Let a person try again at once, in any browser, after somebody has guessed their password.

    Browsers in which the person has signed in before are not blocked by what others guess.
    """
    from corpid.services.guessing import Guessing
    from corpid.services.people import unblock_person
    from oidc.secrets import TokenHasher

    async with run.foundation() as base:
        guessing = Guessing(TokenHasher(base.secrets["cookies"]), base.clock)
        found = await unblock_person(base.store, guessing, person, run.actor)
    document = {"person_id": found.person_id, "unblocked": True}
    return Answer(document, [Facts([("person", found.person_id)], "May sign in anywhere again")])


@command(app, "person close", example="corpid person close sample.person --yes")
async def close(run: Run, person: Reference, reason: Reason = "", yes: Yes = False) -> Answer:
    """Close an account: sessions, tokens, credentials and the person's mandates end."""
    from corpid.cli.destroying import shown_or_done
    from corpid.services.people import find_person

    async with run.foundation() as base:
        target = (await find_person(base.store.read, person)).person_id
        revocation = base.revocation
        return await shown_or_done(
            f"Close the account of {person}",
            lambda: revocation.plan_close_person(target, run.actor, reason),
            lambda: revocation.close_person(target, run.actor, reason),
            yes=yes,
        )


def _password(username: str | None, file: Path | None, random: Any) -> tuple[str | None, bool]:
    """The password, and whether it was generated."""
    if username is None:
        if file is not None or random is not None:
            raise CommandError("invalid_value", "a password needs a --username")
        return None, False
    if random is not None:
        # 32 letters: five bits a byte, none lost; 125 bits in groups that can be read out.
        letters = "".join(_ALPHABET[byte & 31] for byte in random(25))
        return "-".join(letters[at : at + 5] for at in range(0, 25, 5)), True
    if file is not None:
        data = read_input(file, max_bytes=_MAX_SECRET, what="the password file")
        try:
            return data.decode().rstrip("\r\n"), False
        except UnicodeDecodeError:
            raise CommandError("invalid_value", "the password file is not in UTF-8") from None
    return typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True), False


def _totp_secret(file: Path | None) -> bytes | None:
    import base64
    import binascii

    if file is None:
        return None
    text = read_input(file, max_bytes=_MAX_SECRET, what="the secret's file").decode("ascii", "?")
    compact = "".join(text.split()).upper().rstrip("=")
    try:
        return base64.b32decode(compact + "=" * (-len(compact) % 8))
    except binascii.Error:
        raise CommandError("invalid_value", "the one-time-code secret is not in base32") from None
