"""The formats that credentials come in: one encoder each, all fed by the same description.

A new format is one encoder, named in the table that the host hands to `Issuer`, and a configuration
that has it as its `format`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from keys.jwk import PublicKey
from keys.record import record
from keys.signer import Signer
from oidc.issuer.ports import Issuance
from oidc.issuer.type_description import ClaimPath, TypeDescription


@record
class Encoded:
    """A signed credential. ``credential`` is as it stands in the response.

    ``digest`` is the SHA-256 of exactly what the issuer signed with its signature: what every
    presentation of this credential has in common.
    """

    credential: str
    digest: bytes
    signing_kid: str


class Encoder(Protocol):
    """Makes credentials of one format. It does no I/O but awaiting the signature."""

    @property
    def format(self) -> str:
        """The Credential Format Identifier (OpenID4VCI 1.0, appendix A)."""

    @property
    def purpose(self) -> str:
        """The key ring that signs it."""

    @property
    def alg(self) -> str:
        """The JOSE name of the algorithm that it is signed with."""

    def metadata(self, description: TypeDescription) -> Mapping[str, Any]:
        """The members of a configuration that are the format's own (appendix A).

        How it names the type, and ``credential_signing_alg_values_supported``.
        """

    def path(self, description: TypeDescription, path: ClaimPath) -> Sequence[str | int | None]:
        """Where a claim of the description is in this format (OpenID4VCI 1.0, appendix C)."""

    async def encode(
        self,
        signer: Signer,
        description: TypeDescription,
        issuance: Issuance,
        holder: PublicKey,
        now: float,
    ) -> Encoded:
        """Sign one credential that is bound to ``holder``.

        ``now`` (epoch seconds) is what it says of when it was issued. It is rounded down, at most
        to the day: a format whose verifiers hold it to the signer's certificate says no earlier
        time than that begins.

        ``issuance.claims`` fit the description: `TypeDescription.lint` was called.
        """


def by_format(*encoders: Encoder) -> dict[str, Encoder]:
    """The table that `Issuer` wants.

    Raises:
        ValueError: two encoders of one format.
    """
    table = {one.format: one for one in encoders}
    if len(table) != len(encoders):
        raise ValueError("a format has two encoders")
    return table
