"""`corpid credential issue` and `nonce`: credentials at an operator's word, one or many."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from corpid.cli.context import Reason, Run, Yes, command, read_input
from corpid.cli.credential import app
from corpid.cli.destroying import dry_run_note
from corpid.cli.output import Answer, CommandError, Facts

if TYPE_CHECKING:
    from corpid.services.bulk_issuance import BulkIssuance
    from corpid.services.issuance_requests import IssuanceRequest
    from corpid.services.operator_issuance import OperatorIssuance
    from corpid.wiring.foundation import Foundation

_MAX_KEY: Final = 64 * 1024


def add_to(_: typer.Typer) -> None:
    """These commands are under ``corpid credential`` as soon as they are known."""


@command(
    app,
    "credential issue",
    example="corpid credential issue --organisation 99000001 --person sample.person "
    "--type company-identity --jwk wallet.jwk.json --reason 'key read at the counter'",
)
async def issue(
    run: Run,
    file: Annotated[
        Path | None,
        typer.Argument(help="Many: JSON lines, or CSV (.csv), with these options as names."),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(help="Where the credential goes, or a file's results by line (mode 0600)."),
    ] = None,
    organisation: Annotated[str | None, typer.Option(help="The business's number.")] = None,
    kind: Annotated[
        str | None, typer.Option("--type", help="Credential type (docs/credential-types.md).")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(help="Who acts for it (username or id); default: the only one who may."),
    ] = None,
    authority: Annotated[
        str | None, typer.Option(help="Mandate or representation; default: the first.")
    ] = None,
    branch: Annotated[
        str | None, typer.Option(help="Code of the branch that the credential is about.")
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(help="The wallet's key proof: a JWT over a nonce of `credential nonce`."),
    ] = None,
    jwk: Annotated[
        Path | None,
        typer.Option(help="Or a public key as JWK that is the holder's by your word (--reason)."),
    ] = None,
    offer_hours: Annotated[
        int, typer.Option(min=1, max=168, help="How long offers in a file hold.")
    ] = 168,
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """Issue credentials to keys that wallets have, or offers to wallets (`offer` in a file).

    A run of a file that was broken off goes on where it stopped when it is started again with the
    same file and results; no line is done twice. Docs: the operator's guide, "Many at a time".
    """
    from corpid.wiring.issuing import operator_issuance

    if file is not None:
        if any((organisation, kind, person, authority, branch, proof, jwk)):
            raise CommandError("invalid_value", "name a file, or one credential")
        return await _many(run, file, results, reason, offer_hours * 3600, yes)
    request = _one(organisation, kind, person, authority, branch, proof, jwk)
    async with run.foundation() as base:
        operator = operator_issuance(base, run.actor, reason)
        document: dict[str, Any]
        if yes:
            document = {"dry_run": False, **await _issued(operator, request, results)}
        else:
            plan = await operator.plan(request)
            document = {
                "dry_run": True,
                "organisation_id": plan.organisation_id,
                "person_id": plan.person_id,
                "type": kind,
            }
    return Answer(document, [Facts(list(document.items()))], () if yes else (dry_run_note(),))


@command(app, "credential nonce", example="corpid credential nonce")
async def nonce(run: Run) -> Answer:
    """Make a nonce for key proofs that are collected for `credential issue`; it holds for a week.

    A wallet proves its key by a JWT of the type openid4vci-proof+jwt with this nonce, the issuer as
    aud, and no iss (OpenID4VCI 1.0, F.1). One nonce may serve many wallets.
    """
    from corpid.wiring.issuing import operator_nonces

    async with run.foundation() as base:
        nonces = operator_nonces(base)
        document = {
            "nonce": nonces.issue(base.clock(), base.random),
            "aud": base.settings.issuer,
            "seconds": nonces.lifetime,
        }
    return Answer(document, [Facts(list(document.items()))])


async def _issued(
    operator: "OperatorIssuance", request: "IssuanceRequest", file: Path | None
) -> dict[str, Any]:
    from corpid.cli.result_file import one_result

    if file is None:
        return dict(await operator.issue(request))
    with one_result(file) as write:
        made = dict(await operator.issue(request))
        write(made.pop("credential"))
    return {**made, "written_to": str(file)}


async def _many(
    run: Run, file: Path, results: Path | None, reason: str, lifetime: int, yes: bool
) -> Answer:
    from corpid.cli import result_file
    from corpid.cli.bulk_reports import bulk_answer
    from corpid.cli.progress import count_lines, progress_bar
    from corpid.cli.row_files import digest_of, read_rows
    from corpid.services.bulk import BulkReport

    digest, lines = digest_of(file), count_lines(file)
    batch_id = hashlib.sha256(f"issue {digest}".encode()).hexdigest()
    async with run.foundation() as base:
        with progress_bar(lines) as show:

            def tell(report: BulkReport) -> None:
                show(report.line, f"{report.rows:,} rows, {report.refused:,} refused")

            if not yes:
                bulk = _bulk(base, run, reason, lifetime, lambda _: None, tell)
                report = await bulk.rehearse(batch_id, read_rows(file))
                return bulk_answer(report, {"batch": batch_id}, yes=False)
            if results is None:
                raise CommandError("invalid_value", "name a file for the results with --results")
            with result_file.results(results, batch_id) as kept:
                bulk = _bulk(base, run, reason, lifetime, kept.add, tell)
                batch = await bulk.begin(batch_id)
                report = await bulk.run(batch, read_rows(file), kept.last_line)
    return bulk_answer(report, {"batch": batch_id}, yes=True)


def _bulk(
    base: "Foundation", run: Run, reason: str, lifetime: int, deliver: Any, tell: Any
) -> "BulkIssuance":
    from corpid.services.bulk import ShortTurns
    from corpid.services.bulk_issuance import BulkIssuance
    from corpid.storage.paced import FREE_SECONDS
    from corpid.wiring.issuing import operator_issuance

    return BulkIssuance(
        base.store,
        operator_issuance(base, run.actor, reason, lifetime),
        ShortTurns(base.store, FREE_SECONDS),
        base.clock,
        actor=run.actor,
        deliver=deliver,
        progress=tell,
    )


def _one(
    organisation: str | None,
    kind: str | None,
    person: str | None,
    authority: str | None,
    branch: str | None,
    proof: Path | None,
    jwk: Path | None,
) -> "IssuanceRequest":
    from corpid.services.issuance_requests import read_request

    return read_request(
        {
            "organisation": organisation,
            "type": kind,
            "person": person,
            "authority": authority,
            "branch": branch,
            "proof": None if proof is None else _text(proof, "the proof").strip(),
            "jwk": None if jwk is None else _text(jwk, "the key"),
        }
    )


def _text(path: Path, what: str) -> str:
    return read_input(path, max_bytes=_MAX_KEY, what=what).decode("utf-8", "replace")
