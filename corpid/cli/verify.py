"""`corpid verify`: what a relying party would say of a token or credential."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from corpid.cli.context import Run, command, instant, read_input
from corpid.cli.output import REFUSED, UNDETERMINED, USAGE, Answer, CommandError, Facts
from keys import base64url

_MAX_INPUT: Final = 8 * 1024 * 1024
_MAX_KEYS: Final = 64 * 1024


def add_to(parent: typer.Typer) -> None:
    """Put the command under ``corpid``."""

    @command(
        parent,
        "verify",
        example="corpid verify credential.txt --issuer https://id.example",
    )
    async def verify(
        run: Run,
        file: Annotated[
            Path, typer.Argument(help="File with the token or credential, - for standard input.")
        ] = Path("-"),
        issuer: Annotated[
            str | None, typer.Option(help="Who must have issued it; default: this service.")
        ] = None,
        client_id: Annotated[
            str | None, typer.Option(help="For ID and logout tokens: whom it is for.")
        ] = None,
        audience: Annotated[
            str | None, typer.Option(help="For access tokens and presentations: whom it is for.")
        ] = None,
        nonce: Annotated[
            str | None, typer.Option(help="The nonce that was sent, if one was.")
        ] = None,
        credential_type: Annotated[
            list[str] | None,
            typer.Option(
                "--type", help="Acceptable vct, W3C type or document type; may be repeated."
            ),
        ] = None,
        state: Annotated[
            str | None, typer.Option(help="For authorization responses: the state that was sent.")
        ] = None,
        decryption_keys: Annotated[
            Path | None,
            typer.Option(help="File with your private JWK (or JWK Set) for what is encrypted."),
        ] = None,
        anchors: Annotated[
            Path | None,
            typer.Option(
                "--anchors", help="File with trust anchors (PEM) for what has x5c, and for mdocs."
            ),
        ] = None,
        session_transcript: Annotated[
            str | None,
            typer.Option(help="For presented mdocs: the SessionTranscript in base64url."),
        ] = None,
        at: Annotated[
            str | None,
            typer.Option(
                help="For credentials: whether it was valid then, an instant of the past "
                "(2026-03-01T09:00:00Z) or the end of a Hong Kong date (2026-03-01)."
            ),
        ] = None,
        status_format: Annotated[
            Literal["jwt", "cwt"], typer.Option(help="Form that status lists are asked for in.")
        ] = "jwt",
    ) -> Answer:
        """Verify any token, signed answer, credential or status list, as a relying party does.

        Exit code 0: valid. 1: not valid, and the code says why. 3: undetermined, for keys or a
        status list could not be had; that says nothing about it.
        """
        from corpid.relying_party.errors import Undetermined, VerificationFailed
        from corpid.relying_party.party import RelyingParty
        from corpid.relying_party.policy import Policy
        from corpid.relying_party.recognise import recognise
        from oidc.formats.status_cwt import is_cwt

        data = read_input(file, max_bytes=_MAX_INPUT, what="the file")
        moment = instant(at)
        acr_base = None
        if issuer is None:
            settings = run.settings()
            issuer, acr_base = settings.issuer, settings.acr_base
        private = None if decryption_keys is None else _keys(decryption_keys)
        trusted = (
            [] if anchors is None else [read_input(anchors, max_bytes=_MAX_KEYS, what="the file")]
        )
        policy = Policy(status_formats=("cwt", "jwt") if status_format == "cwt" else ("jwt", "cwt"))
        try:
            party = RelyingParty(
                issuer,
                acr_base=acr_base,
                decryption_keys=private,
                trust_anchors=trusted,
                policy=policy,
            )
            text = data if is_cwt(data) else _text(data)
            kind = recognise(text if isinstance(text, bytes) else party.opened(text))
            found = await party.verify_any(
                text,
                client_id=client_id,
                audience=audience,
                nonce=nonce,
                state=state,
                types=credential_type,
                session_transcript=_bytes(session_transcript),
                at=None if moment is None else moment / 1000,
            )
        except VerificationFailed as error:
            return _not_valid("invalid", error.code, str(error), REFUSED)
        except Undetermined as error:
            return _not_valid("undetermined", error.code, str(error), UNDETERMINED)
        except ValueError as error:
            raise CommandError("usage", _in_options(str(error)), USAGE) from None
        document = {"outcome": "valid", "kind": kind.value, **_plain(found)}
        return Answer(document, [Facts(_lines(document))])


def _text(data: bytes) -> str:
    try:
        return data.decode("ascii").strip()
    except UnicodeDecodeError:
        raise CommandError("not_recognised", "this is no token: it is not ASCII text") from None


def _bytes(text: str | None) -> bytes | None:
    from keys.errors import MalformedEncoding

    try:
        return None if text is None else base64url.decode(text)
    except MalformedEncoding:
        message = "--session-transcript is CBOR in base64url without padding"
        raise CommandError("usage", message, USAGE) from None


def _keys(file: Path) -> dict[str, Any]:
    from keys.json_object import loads

    try:
        return loads(read_input(file, max_bytes=_MAX_KEYS, what="the file of keys"))
    except ValueError:
        raise CommandError("unreadable_file", "the file of keys is no JSON object") from None


def _not_valid(outcome: str, code: str, message: str, exit_code: int) -> Answer:
    document = {"outcome": outcome, "code": code, "message": message}
    return Answer(document, [Facts(list(document.items()))], exit_code=exit_code)


def _in_options(message: str) -> str:
    """The library's words for a missing argument, as the command line says it."""
    if message.startswith(("client_id", "audience")):
        name = message.split(maxsplit=1)[0].replace("_", "-")
        return f"--{name} is needed for this kind of token: whom it has to be for"
    return message


def _plain(value: Any) -> Any:
    """Typed results as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        members = [_plain(one) for one in value]
        return sorted(members) if isinstance(value, (set, frozenset)) else members
    if isinstance(value, bytes):
        return base64url.encode(value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def _lines(document: Mapping[str, Any]) -> list[tuple[str, object]]:
    import json

    return [
        (
            name,
            value
            if isinstance(value, (str, int, type(None)))
            else json.dumps(value, ensure_ascii=False),
        )
        for name, value in document.items()
    ]
