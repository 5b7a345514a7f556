"""`corpid pki`: certificates of the signing keys."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpid.cli.context import Run, command, read_input
from corpid.cli.output import Answer, CommandError, Facts, Plain

if TYPE_CHECKING:
    from cryptography import x509

    from corpid.services.certificates import CertifiedKey

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Certificates of the signing keys."
)
Purpose = Annotated[str, typer.Argument(help="credentials, status, metadata or mdoc.")]
Kid = Annotated[str | None, typer.Option(help="Which key of the ring; default: the newest.")]
Country = Annotated[str, typer.Option(help="Country of the issuer (ISO 3166-1).")]
Name = Annotated[str, typer.Option(help="Name of the issuer, as certificates show it.")]
_MAX_FILE = 256 * 1024
_COLUMNS = ("purpose", "state", "subject", "issuer", "not_after", "renewed_by", "kid")


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid pki``."""
    parent.add_typer(app, name="pki")


@command(app, "pki init", example="corpid pki init --country HK --name 'Sample Issuer'")
async def init(run: Run, country: Country = "HK", name: Name = "Corp ID") -> Answer:
    """Make a development authority, and certify the signing keys by it.

    Two roots: one for credentials, status lists and metadata, one for mdoc document signers. Their
    certificates are at ISSUER/pki/root.cer and ISSUER/pki/iaca.cer, for verifiers to trust. The
    service renews what they certify. For the public, import certificates of a real authority.
    """
    async with run.foundation() as base:
        made = await base.certificates.initialise(country, name, run.actor)
    return _listed(made)


@command(app, "pki list", example="corpid pki list")
async def find(run: Run) -> Answer:
    """List the keys that can be certified, with their certificates and when these end."""
    async with run.foundation() as base:
        return _listed(await base.certificates.all())


@command(app, "pki show", example="corpid pki show credentials --pem")
async def show(
    run: Run,
    purpose: Annotated[str, typer.Argument(help="A ring, or root or iaca for these roots.")],
    kid: Kid = None,
    pem: Annotated[bool, typer.Option(help="Print the chain in PEM.")] = False,
) -> Answer:
    """Show the certificates of a key, or a root of the development authority."""
    async with run.foundation() as base:
        roots = await base.certificates.roots()
        keys = await base.certificates.all()
    if purpose in roots:
        chain: tuple[x509.Certificate, ...] = (roots[purpose],)
        document: dict[str, Any] = {"root": purpose}
    else:
        found = [
            one
            for one in keys
            if one.record.purpose == purpose and kid in (None, one.record.kid) and one.chain
        ]
        if not found:
            raise CommandError("not_found", f"no such key of {purpose} has a certificate", 4)
        chain, document = found[0].chain, _facts(found[0])
    document["certificates"] = [_certificate(one) for one in chain]
    document["pem"] = "".join(map(_pem, chain))
    if pem:
        return Answer(document, [Plain(document["pem"].rstrip())])
    return Answer(document, [Facts(list(one.items())) for one in document["certificates"]])


@command(app, "pki csr", example="corpid pki csr credentials --country HK --name 'Sample Issuer'")
async def csr(
    run: Run, purpose: Purpose, kid: Kid = None, country: Country = "HK", name: Name = "Corp ID"
) -> Answer:
    """Print a certificate signing request (PEM) for a key, to send to a certificate authority."""
    async with run.foundation() as base:
        which, pem = await base.certificates.request(purpose, kid, country, name)
    text = pem.decode("ascii")
    return Answer({"purpose": purpose, "kid": which, "csr": text}, [Plain(text.rstrip())])


@command(app, "pki import", example="corpid pki import credentials chain.pem --anchor root.pem")
async def import_(
    run: Run,
    purpose: Purpose,
    chain: Annotated[Path, typer.Argument(help="The chain (PEM): leaf first.")],
    anchor: Annotated[
        Path | None, typer.Option(help="The root (PEM), if the chain does not end with it.")
    ] = None,
) -> Answer:
    """Take over the certificates that an authority issued for a key.

    The chain is verified up to its root; the root itself is not kept, for it never goes out with
    what we sign. The certificate must be for this issuer, this use and one of our keys.
    """
    certificates = _read(chain)
    anchors = [] if anchor is None else _read(anchor)
    async with run.foundation() as base:
        done = await base.certificates.import_chain(purpose, certificates, anchors, run.actor)
    return _listed([done])


@command(app, "pki renew", example="corpid pki renew credentials")
async def renew(run: Run, purpose: Purpose) -> Answer:
    """Have the keys of a ring certified anew by the development authority; the keys stay."""
    async with run.foundation() as base:
        return _listed(await base.certificates.renew(purpose, run.actor))


def _listed(keys: "list[CertifiedKey]") -> Answer:
    from corpid.cli import documents

    document = [_facts(one) for one in keys]
    return Answer(document, [documents.table(document, _COLUMNS)])


def _facts(one: "CertifiedKey") -> dict[str, Any]:
    leaf = _certificate(one.chain[0]) if one.chain else {}
    by = None if not one.chain else "the service" if one.from_us else "its authority"
    return {
        "purpose": one.record.purpose,
        "kid": one.record.kid,
        "state": one.state,
        "subject": leaf.get("subject"),
        "issuer": leaf.get("issuer"),
        "not_before": leaf.get("not_before"),
        "not_after": leaf.get("not_after"),
        "renewed_by": by,
    }


def _certificate(one: "x509.Certificate") -> dict[str, Any]:
    from corpid.cli import documents

    return {
        "subject": one.subject.rfc4514_string(),
        "issuer": one.issuer.rfc4514_string(),
        "serial": f"{one.serial_number:x}",
        "not_before": documents.when(int(one.not_valid_before_utc.timestamp()) * 1000),
        "not_after": documents.when(int(one.not_valid_after_utc.timestamp()) * 1000),
    }


def _pem(one: "x509.Certificate") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return one.public_bytes(Encoding.PEM).decode("ascii")


def _read(file: Path) -> "list[x509.Certificate]":
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(
            read_input(file, max_bytes=_MAX_FILE, what="the file")
        )
    except ValueError:
        raise CommandError("unreadable_file", f"{file} holds no certificates in PEM") from None
