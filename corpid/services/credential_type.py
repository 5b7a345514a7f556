"""A credential type of this product: its description, who may have one, and what it says."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from corpid.domain.issuance import IssuanceRule
from corpid.domain.person import Person
from corpid.services.authorities import ActingAuthority
from corpid.services.ports import UnitOfWork
from keys.record import record
from oidc.issuer.type_description import ClaimDescription, TypeDescription


@record
class Applicant:
    """Whose credential it is: an authority that counts now, the person who has it.

    ``branch`` is the code of the branch that it is about, for types that are about one.
    """

    authority: ActingAuthority
    person: Person
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialType:
    """One version of one type. There is one file for each in ``services/credential_types``.

    ``state`` gives the claims; it is called for applicants whom ``rule`` does not refuse.
    ``reads_more`` says that it reads rows which ``Authority.standing`` does not follow, so that
    they must be compared when the credential is recorded. ``lifetime`` is in seconds; ``decoys`` as
    in ``TypeDescription``.
    """

    type_id: str
    version: str
    w3c_type: str
    names: Mapping[str, str]
    descriptions: Mapping[str, str]
    claims: tuple[ClaimDescription, ...]
    lifetime: int
    rule: IssuanceRule
    state: Callable[[UnitOfWork, Applicant], Awaitable[dict[str, Any]]]
    reads_more: bool = False
    decoys: int = 0

    @property
    def scope(self) -> str:
        """The scope that gives access to it, in every format."""
        return f"credential.{self.type_id.replace('-', '_')}"

    def described(self, vct_base: str) -> TypeDescription:
        """As the credential issuer needs it; ``vct_base`` is the URL before the type."""
        doctype = _doctype(vct_base, f"{self.type_id}.{self.version}")
        return TypeDescription(
            type_id=self.type_id,
            version=self.version,
            vct=f"{vct_base.rstrip('/')}/{self.type_id}/{self.version}",
            doctype=doctype,
            namespace=doctype,
            w3c_type=self.w3c_type,
            names=self.names,
            descriptions=self.descriptions,
            claims=self.claims,
            lifetime=self.lifetime,
            decoys=self.decoys,
        )


def _doctype(vct_base: str, name: str) -> str:
    """The mdoc's name of the type: that of the ``vct``, read backwards from its host.

    So it is as much the operator's own as the ``vct`` is: ``hk.example.id.vct.representative.1``.
    """
    base = urlsplit(vct_base)
    host = reversed((base.hostname or "").split("."))
    path = (step for step in base.path.split("/") if step)
    return ".".join((*host, *path, name))
