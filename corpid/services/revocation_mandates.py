"""The acts of ``Revocation`` on one mandate, and on what was passed on from it."""

from corpid.domain.errors import NotFound
from corpid.domain.mandate import Mandate, MandateEvent, MandateState, Side, apply
from corpid.services.revocation_effects import Act, Effects, is_over


def end_mandate(mandate_id: str, side: Side) -> Act:
    """See ``Revocation.end_mandate``."""

    async def act(effects: Effects) -> bool:
        mandate = await _known(effects, mandate_id)
        if is_over(mandate):
            return False
        await effects.end_mandate(mandate, side)
        return True

    return act


def suspend_mandate(mandate_id: str) -> Act:
    """See ``Revocation.suspend_mandate``."""

    async def act(effects: Effects) -> bool:
        mandate = await _known(effects, mandate_id)
        if mandate.state is MandateState.SUSPENDED:
            return False
        changed = apply(mandate, MandateEvent.SUSPEND, Side.GRANTOR, effects.now_ms)
        await effects.uow.authority.change_mandate(
            changed, MandateEvent.SUSPEND, Side.GRANTOR, effects.actor, effects.reason
        )
        effects.count("mandates")
        await effects.suspend_authority(mandate_id)
        await effects.suspend_passed_on(changed)
        return True

    return act


def resume_mandate(mandate_id: str) -> Act:
    """See ``Revocation.resume_mandate``."""

    async def act(effects: Effects) -> bool:
        mandate = await _known(effects, mandate_id)
        if mandate.state is MandateState.ACCEPTED:
            return False
        resumed = apply(mandate, MandateEvent.RESUME, Side.GRANTOR, effects.now_ms)
        await effects.uow.authority.change_mandate(
            resumed, MandateEvent.RESUME, Side.GRANTOR, effects.actor, effects.reason
        )
        effects.count("mandates")
        await effects.resume_with_passed_on(resumed)
        return True

    return act


async def _known(effects: Effects, mandate_id: str) -> Mandate:
    mandate = await effects.uow.authority.mandate(mandate_id)
    if mandate is None:
        raise NotFound(f"there is no mandate {mandate_id}")
    return mandate
