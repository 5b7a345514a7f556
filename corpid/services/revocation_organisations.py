"""The acts of ``Revocation`` on a whole organisation: our own, and what registers say of it."""

from corpid.domain.errors import NotFound
from corpid.domain.organisation import Registration
from corpid.domain.register_entry import EntityStatus
from corpid.services.revocation_effects import Act, Effects


def suspend_organisation(organisation_id: str) -> Act:
    """Our own act; see ``Revocation.suspend_organisation``."""

    async def act(effects: Effects) -> bool:
        uow = effects.uow
        if not await uow.organisations.suspend(organisation_id, effects.now_ms):
            if await uow.organisations.by_id(organisation_id) is None:
                raise NotFound(f"there is no organisation {organisation_id}")
            return False
        await effects.suspend_organisation(organisation_id)
        return True

    return act


def resume_organisation(organisation_id: str) -> Act:
    """Our own act; see ``Revocation.resume_organisation``."""

    async def act(effects: Effects) -> bool:
        uow = effects.uow
        if not await uow.organisations.resume(organisation_id):
            if await uow.organisations.by_id(organisation_id) is None:
                raise NotFound(f"there is no organisation {organisation_id}")
            return False
        await effects.resume_organisation(organisation_id)
        return True

    return act


def record_registration(registration: Registration) -> Act:
    """The register's new word, and what follows from it in the same transaction."""
    organisation_id = registration.organisation_id

    async def act(effects: Effects) -> bool:
        await effects.uow.organisations.replace_registration(registration)
        if registration.status == EntityStatus.LIVE:
            await effects.resume_organisation(organisation_id)
        elif EntityStatus(registration.status).has_ended:
            await effects.end_organisation(organisation_id)
        else:
            await effects.suspend_organisation(organisation_id)
        return True

    return act


def organisation_ended(organisation_id: str) -> Act:
    """What follows where the register's word is there already, and something still rests on it."""

    async def act(effects: Effects) -> bool:
        organisation = await effects.uow.organisations.by_id(organisation_id)
        if organisation is None:
            raise NotFound(f"there is no organisation {organisation_id}")
        if not EntityStatus(organisation.registration.status).has_ended:
            return False
        await effects.end_organisation(organisation_id)
        return any(effects.counts.values())

    return act
