"""What the status of a credential or mandate means for the relying party that asks."""

from corpid.relying_party import errors
from corpid.relying_party.policy import Policy
from corpid.relying_party.results import StatusOutcome
from corpid.relying_party.status_source import StatusSource
from oidc.formats.status_list import Status
from oidc.formats.status_reference import StatusReference

_Errors = tuple[type[errors.VerificationFailed], type[errors.VerificationFailed]]
_OF_CREDENTIAL: _Errors = (errors.CredentialRevoked, errors.CredentialSuspended)
_OF_MANDATE: _Errors = (errors.MandateRevoked, errors.MandateSuspended)


class StatusCheck:
    """Asks status lists, and lets the policy decide about what cannot be learned."""

    def __init__(self, statuses: StatusSource, policy: Policy) -> None:
        self._statuses = statuses
        self._policy = policy

    async def credential(
        self,
        reference: StatusReference | None,
        issuer: str,
        *,
        wanted: bool,
        foreign: tuple[str, ...] = (),
        at: float | None = None,
    ) -> tuple[StatusOutcome, str | None]:
        """Return a credential's status `at` that instant (None: now), and why it is undetermined
        if it is.

        `foreign` names other ways to ask that are not understood here: they may say that it was
        revoked, so without an answer from them nothing is determined.

        Raises CredentialRevoked, CredentialSuspended, CredentialStatusNotValid,
        CredentialStatusMissing, StatusIndexOutOfRange, and Undetermined if the policy refuses.
        """
        if not wanted:
            return "unchecked", None
        if reference is None and not foreign:
            if self._policy.require_status:
                raise errors.CredentialStatusMissing
            return "none", None
        try:
            if reference is not None:
                await self._ask(reference, issuer, _OF_CREDENTIAL, at)
            if foreign:
                raise errors.StatusUnavailable(f"of a kind unknown here: {foreign[0][:60]!r}")
        except errors.Undetermined as error:
            if self._policy.on_undetermined == "refuse":
                raise
            return "undetermined", error.code
        return "valid", None

    async def mandate(
        self, reference: StatusReference, issuer: str, at: float | None
    ) -> StatusOutcome:
        """Return a mandate's status. Raises as RelyingParty.check_mandate."""
        try:
            await self._ask(reference, issuer, _OF_MANDATE, at)
        except errors.Undetermined:
            if self._policy.on_undetermined == "refuse":
                raise
            return "undetermined"
        return "valid"

    async def _ask(
        self, reference: StatusReference, issuer: str, ended: _Errors, at: float | None
    ) -> None:
        value = await self._statuses.status(reference, issuer, at)
        revoked, suspended = ended
        if value == Status.INVALID:
            raise revoked
        if value == Status.SUSPENDED:
            raise suspended
        if value != Status.VALID:
            raise errors.CredentialStatusNotValid(f"status {value}")
