"""The acts of ``Revocation`` on one credential.

What renews it, or what it renews, has the same key and says the same: each act reaches them too.
Otherwise a renewal would get round a revocation, whichever of them came first. A wallet that may
not be trusted any more is another matter: docs/adr/0018.
"""

from enum import StrEnum
from typing import Final

from corpid.domain.credential import FINAL, Credential, CredentialState
from corpid.domain.errors import IllegalTransition, NotFound
from corpid.services.revocation_effects import Act, Effects


def revoke_credential(credential_id: str) -> Act:
    """See ``Revocation.revoke_credential``."""

    async def act(effects: Effects) -> bool:
        credential, going_on = await _with_the_same_key(effects, credential_id)
        if credential.state is CredentialState.REVOKED:
            return False
        for one in going_on:
            await effects.revoke(one)
        return bool(going_on)

    return act


def revoke_wallet(credential_id: str) -> Act:
    """See ``Revocation.revoke_wallet``."""

    async def act(effects: Effects) -> bool:
        credentials = effects.uow.credentials
        grant_id = await credentials.grant_of(credential_id)
        if grant_id is None:
            raise NotFound(f"there is no credential {credential_id}")
        await effects.end_ways_to_more(grant_id)
        # What was being issued under the grant is waited for here, and then found.
        await credentials.same_key(credential_id)
        for one in await credentials.going_on_under(grant_id):
            await effects.revoke(one)
        return any(effects.counts.values())

    return act


def suspend_credential(credential_id: str) -> Act:
    """See ``Revocation.suspend_credential``."""

    async def act(effects: Effects) -> bool:
        # Whoever resumes the authority waits, or has done so: else it would not see this.
        await effects.authority_stands(await _known(effects, credential_id))
        credential, going_on = await _with_the_same_key(effects, credential_id)
        if not going_on or credential.state is CredentialState.REVOKED:
            raise _is_over(credential)
        for one in going_on:
            await effects.hold(one)
        return bool(effects.counts)

    return act


def resume_credential(credential_id: str) -> Act:
    """See ``Revocation.resume_credential``."""

    async def act(effects: Effects) -> bool:
        # The authority's rows before the grant's: in the order in which others lock them.
        stands = await effects.authority_stands(await _known(effects, credential_id))
        credential, going_on = await _with_the_same_key(effects, credential_id)
        if not going_on or credential.state is CredentialState.REVOKED:
            raise _is_over(credential)
        held = [one for one in going_on if one.on_hold]
        if not held and credential.state is CredentialState.SUSPENDED:
            raise IllegalTransition(
                "this credential is suspended with its mandate, representation or organisation: "
                "resume that"
            )
        for one in held:
            await effects.release(one, resume=stands)
        return bool(held)

    return act


class CredentialAct(StrEnum):
    """What can be done to one credential, or to many one by one."""

    REVOKE = "revoke_credential"
    REVOKE_WALLET = "revoke_wallet"
    SUSPEND = "suspend_credential"
    RESUME = "resume_credential"

    def on(self, credential_id: str) -> Act:
        """The act on that one."""
        return _ACTS[self](credential_id)


_ACTS: Final = {
    CredentialAct.REVOKE: revoke_credential,
    CredentialAct.REVOKE_WALLET: revoke_wallet,
    CredentialAct.SUSPEND: suspend_credential,
    CredentialAct.RESUME: resume_credential,
}


async def _with_the_same_key(
    effects: Effects, credential_id: str
) -> tuple[Credential, list[Credential]]:
    """The credential, and those of its key that are not over, itself first where it is not."""
    same = await effects.uow.credentials.same_key(credential_id)
    # Read after the lock that comes with those: what others did meanwhile shows.
    credential = await _known(effects, credential_id)
    return credential, same if credential.state in FINAL else [credential, *same]


async def _known(effects: Effects, credential_id: str) -> Credential:
    credential = await effects.uow.credentials.by_id(credential_id)
    if credential is None:
        raise NotFound(f"there is no credential {credential_id}")
    return credential


def _is_over(credential: Credential) -> IllegalTransition:
    return IllegalTransition(f"this credential is over ({credential.state})")
