"""A credential type as data: one description drives every format, all metadata, and a lint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oidc.formats.sd_jwt import Disclosable

# What encoders add themselves: no part of a type's own claims.
_ENVELOPE = frozenset({"iss", "iat", "nbf", "exp", "vct", "cnf", "status", "_sd", "_sd_alg"})


ClaimPath = tuple[str | int | None, ...]


class MalformedCredential(Exception):
    """The claims do not fit the type's description: our own fault, never the wallet's."""


@dataclass(frozen=True, slots=True)
class ClaimDescription:
    """One claim of a type. ``labels`` maps language tags to what a person reads.

    ``disclosable`` says whether the holder may keep the claim to himself. What ``narrows`` another
    claim (a limit, an end) cannot be: a holder could show the wide part alone.
    """

    path: ClaimPath
    labels: Mapping[str, str]
    mandatory: bool
    disclosable: bool
    narrows: bool = False


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """One version of one credential type, as every format needs it.

    ``type_id`` and ``version`` are our own names. A format has its own name for the type: ``vct``
    for SD-JWT VC, ``doctype`` and ``namespace`` for mdoc, ``w3c_type`` for W3C VCDM. ``names`` and
    ``descriptions`` are by language tag. ``lifetime`` is in seconds. ``decoys`` is how many digests
    without a disclosure stand beside the others (RFC 9901 4.2.5).
    """

    type_id: str
    version: str
    vct: str
    doctype: str
    namespace: str
    w3c_type: str
    names: Mapping[str, str]
    descriptions: Mapping[str, str]
    claims: tuple[ClaimDescription, ...]
    lifetime: int
    decoys: int = 0
    frame: Disclosable = field(init=False, compare=False, repr=False)
    _known: frozenset[str | int | None] = field(init=False, compare=False, repr=False)
    _needed: tuple[str | int | None, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        paths = [claim.path for claim in self.claims]
        if len(set(paths)) != len(paths):
            raise ValueError(f"{self.type_id} describes a claim twice")
        withheld = {claim.path for claim in self.claims if claim.disclosable}
        for claim in self.claims:
            around = {claim.path[: length + 1] for length in range(len(claim.path))}
            if claim.narrows and around & withheld:
                raise ValueError(f"{self.type_id}: {claim.path} narrows, and can be withheld")
        # Frozen: set once, here.
        frame = Disclosable(claim.path for claim in self.claims if claim.disclosable)
        needed = tuple(
            claim.path[0] for claim in self.claims if claim.mandatory and len(claim.path) == 1
        )
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "_known", frozenset(path[0] for path in paths))
        object.__setattr__(self, "_needed", needed)

    def lint(self, claims: Mapping[str, Any]) -> None:
        """Compare claims with the description before they are signed.

        Raises:
            MalformedCredential: a mandatory claim is missing, one is not described, or one
                belongs to the envelope.
        """
        for name in self._needed:
            if name not in claims:
                raise MalformedCredential(f"{self.type_id} lacks {name}")
        if claims.keys() <= self._known and _ENVELOPE.isdisjoint(claims):
            return
        undescribed = sorted(set(claims) - self._known)
        raise MalformedCredential(f"{self.type_id} does not describe {undescribed}")
