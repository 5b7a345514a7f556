"""The one place that ends authority, whoever asks: web, CLI or a change in a register.

Each act is one transaction over everything it reaches: the mandate or representation, the
credentials, the status entries, sessions, tokens, offers, the audit row and the outbox messages
(to the clients whose sessions it ends, and to whoever follows revocations).
Doing what is done already is no error: the report says so, and nothing is written. Every act has
a ``plan_`` form: the same act, rolled back at its end, so the report is exact.
"""

from typing import Final

import orjson

from corpid.domain.errors import NotFound
from corpid.domain.identifiers import ordered_id
from corpid.domain.mandate import HolderKind, Side
from corpid.domain.organisation import Registration
from corpid.services import revocation_credentials as credentials
from corpid.services import revocation_mandates as mandates
from corpid.services import revocation_organisations as organisations
from corpid.services.authorities import ACTING_ROLES
from corpid.services.logout_notices import tell
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import OutboxMessage
from corpid.services.revocation_credentials import CredentialAct
from corpid.services.revocation_effects import Act, Effects, RevocationReport, is_over
from keys.clock import Clock, Random

TOPIC: Final = "revocation"


class _Rehearsed(Exception):
    """Carries the report of a rehearsal out of the transaction that it rolls back."""

    def __init__(self, report: RevocationReport) -> None:
        super().__init__("a rehearsal is rolled back")
        self.report = report


class Revocation:
    """Ends, suspends and resumes. ``actor`` is a person's internal id, or ``operator:NAME``.

    Every method returns a ``RevocationReport`` and raises NotFound for an unknown target.
    """

    def __init__(self, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    async def end_mandate(
        self, mandate_id: str, actor: str, side: Side, reason: str
    ) -> RevocationReport:
        """End a mandate, and those passed on from it, with all that rests on them."""
        return await self._do(
            "end_mandate", mandate_id, actor, reason, mandates.end_mandate(mandate_id, side)
        )

    async def plan_end_mandate(
        self, mandate_id: str, actor: str, side: Side, reason: str
    ) -> RevocationReport:
        """What ``end_mandate`` would do."""
        return await self._plan(
            "end_mandate", mandate_id, actor, reason, mandates.end_mandate(mandate_id, side)
        )

    async def suspend_mandate(self, mandate_id: str, actor: str, reason: str) -> RevocationReport:
        """Suspend a mandate: credentials and entries are suspended, tokens end.

        Raises:
            IllegalTransition: the mandate is not accepted by both sides, or is over.
        """
        act = mandates.suspend_mandate(mandate_id)
        return await self._do("suspend_mandate", mandate_id, actor, reason, act)

    async def plan_suspend_mandate(
        self, mandate_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``suspend_mandate`` would do."""
        act = mandates.suspend_mandate(mandate_id)
        return await self._plan("suspend_mandate", mandate_id, actor, reason, act)

    async def resume_mandate(self, mandate_id: str, actor: str, reason: str) -> RevocationReport:
        """Resume a suspended mandate; what an organisation's suspension holds stays suspended.

        Raises:
            IllegalTransition: the mandate is not suspended.
        """
        act = mandates.resume_mandate(mandate_id)
        return await self._do("resume_mandate", mandate_id, actor, reason, act)

    async def plan_resume_mandate(
        self, mandate_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``resume_mandate`` would do."""
        act = mandates.resume_mandate(mandate_id)
        return await self._plan("resume_mandate", mandate_id, actor, reason, act)

    async def end_representation(
        self, representation_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """End a representation with all that rests on it, also through agents' mandates."""
        act = _end_representation(representation_id)
        return await self._do("end_representation", representation_id, actor, reason, act)

    async def plan_end_representation(
        self, representation_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``end_representation`` would do."""
        act = _end_representation(representation_id)
        return await self._plan("end_representation", representation_id, actor, reason, act)

    async def revoke_credential(
        self, credential_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """Revoke one credential; the authority behind it stays."""
        act = credentials.revoke_credential(credential_id)
        return await self._do("revoke_credential", credential_id, actor, reason, act)

    async def plan_revoke_credential(
        self, credential_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``revoke_credential`` would do."""
        act = credentials.revoke_credential(credential_id)
        return await self._plan("revoke_credential", credential_id, actor, reason, act)

    async def revoke_wallet(self, credential_id: str, actor: str, reason: str) -> RevocationReport:
        """Revoke all that was issued under a credential's grant, which ends: its wallet is lost.

        It gets nothing more before somebody signs in and agrees anew, or redeems another offer.
        """
        act = credentials.revoke_wallet(credential_id)
        return await self._do("revoke_wallet", credential_id, actor, reason, act)

    async def plan_revoke_wallet(
        self, credential_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``revoke_wallet`` would do."""
        act = credentials.revoke_wallet(credential_id)
        return await self._plan("revoke_wallet", credential_id, actor, reason, act)

    async def suspend_credential(
        self, credential_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """Suspend one credential; the authority behind it stays.

        Raises:
            IllegalTransition: the credential is over.
        """
        act = credentials.suspend_credential(credential_id)
        return await self._do("suspend_credential", credential_id, actor, reason, act)

    async def plan_suspend_credential(
        self, credential_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``suspend_credential`` would do."""
        act = credentials.suspend_credential(credential_id)
        return await self._plan("suspend_credential", credential_id, actor, reason, act)

    async def resume_credential(
        self, credential_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """Resume one; what its authority's or organisation's suspension holds stays suspended.

        Raises:
            IllegalTransition: the credential is over, or is suspended with its authority alone.
        """
        act = credentials.resume_credential(credential_id)
        return await self._do("resume_credential", credential_id, actor, reason, act)

    async def plan_resume_credential(
        self, credential_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``resume_credential`` would do."""
        act = credentials.resume_credential(credential_id)
        return await self._plan("resume_credential", credential_id, actor, reason, act)

    async def change_credential(
        self, uow: UnitOfWork, act: CredentialAct, credential_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """One of those acts inside a write that has others too. What it refuses it has not begun.

        Raises:
            IllegalTransition: see the act.
        """
        now_ms = int(self._clock() * 1000)
        return await self._carry_out(
            uow, now_ms, act.value, credential_id, actor, reason, act.on(credential_id)
        )

    async def suspend_organisation(
        self, organisation_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """Suspend an organisation: nobody acts for it, nor for others in its name."""
        act = organisations.suspend_organisation(organisation_id)
        return await self._do("suspend_organisation", organisation_id, actor, reason, act)

    async def plan_suspend_organisation(
        self, organisation_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``suspend_organisation`` would do."""
        act = organisations.suspend_organisation(organisation_id)
        return await self._plan("suspend_organisation", organisation_id, actor, reason, act)

    async def resume_organisation(
        self, organisation_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """Resume an organisation; mandates that are suspended themselves stay so."""
        act = organisations.resume_organisation(organisation_id)
        return await self._do("resume_organisation", organisation_id, actor, reason, act)

    async def plan_resume_organisation(
        self, organisation_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``resume_organisation`` would do."""
        act = organisations.resume_organisation(organisation_id)
        return await self._plan("resume_organisation", organisation_id, actor, reason, act)

    async def record_registration(self, registration: Registration, actor: str) -> RevocationReport:
        """Record that an organisation came to be live in its register, or ceased to be.

        Where the register says that it has ended, so does all that rests on it: see
        ``organisation_ended``. In liquidation, receivership or doubt it is suspended, and comes
        back when the register says live again.
        """
        act = organisations.record_registration(registration)
        target, reason = registration.organisation_id, f"register: {registration.status}"
        return await self._do("record_registration", target, actor, reason, act)

    async def organisation_ended(
        self, organisation_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """End all that rests on an organisation that has ended by its register.

        Representations, mandates that it gave or holds, credentials, status entries, offers,
        tokens and consents. Nothing is done where the register does not say that it has ended. If
        it is restored, representations and mandates are recorded and given anew.
        """
        act = organisations.organisation_ended(organisation_id)
        return await self._do("organisation_ended", organisation_id, actor, reason, act)

    async def plan_organisation_ended(
        self, organisation_id: str, actor: str, reason: str
    ) -> RevocationReport:
        """What ``organisation_ended`` would do."""
        act = organisations.organisation_ended(organisation_id)
        return await self._plan("organisation_ended", organisation_id, actor, reason, act)

    async def close_person(self, person_id: str, actor: str, reason: str) -> RevocationReport:
        """Close an account: sessions, tokens, consents, credentials and mandates held."""
        return await self._do("close_person", person_id, actor, reason, _close_person(person_id))

    async def plan_close_person(self, person_id: str, actor: str, reason: str) -> RevocationReport:
        """What ``close_person`` would do."""
        return await self._plan("close_person", person_id, actor, reason, _close_person(person_id))

    async def disable_client(self, client_id: str, actor: str) -> RevocationReport:
        """Disable a relying party: its tokens and consents end, at once in every process.

        It is told nothing: what it is not trusted with it is not sent to either.
        """
        return await self._do("disable_client", client_id, actor, "", _disable_client(client_id))

    async def plan_disable_client(self, client_id: str, actor: str) -> RevocationReport:
        """What ``disable_client`` would do."""
        return await self._plan("disable_client", client_id, actor, "", _disable_client(client_id))

    async def _do(
        self, name: str, target: str, actor: str, reason: str, act: Act
    ) -> RevocationReport:
        now_ms = int(self._clock() * 1000)
        return await self._store.write(
            lambda uow: self._carry_out(uow, now_ms, name, target, actor, reason, act)
        )

    async def _plan(
        self, name: str, target: str, actor: str, reason: str, act: Act
    ) -> RevocationReport:
        now_ms = int(self._clock() * 1000)

        async def rehearse(uow: UnitOfWork) -> None:
            raise _Rehearsed(await self._carry_out(uow, now_ms, name, target, actor, reason, act))

        try:
            await self._store.write(rehearse)
        except _Rehearsed as rehearsed:
            return rehearsed.report
        raise AssertionError("a rehearsal always raises")

    async def _carry_out(
        self,
        uow: UnitOfWork,
        now_ms: int,
        name: str,
        target: str,
        actor: str,
        reason: str,
        act: Act,
    ) -> RevocationReport:
        effects = Effects(uow, now_ms, actor, reason or name)
        if not await act(effects):
            return RevocationReport(name, target, already=True)
        effects.count("logouts", await tell(uow, effects.signed_out, now_ms, self._random))
        report = effects.report(name, target)
        facts = {"target": target, "actor": actor, "reason": reason, **effects.counts}
        await uow.operations.audit(f"revocation.{name}", facts)
        if name == "disable_client":
            await uow.operations.bump("clients")
        elif name not in set(CredentialAct):  # those leave every authority as it is
            await uow.operations.bump("authority")
        body = orjson.dumps({"act": name, "at": now_ms, **facts}, option=orjson.OPT_SORT_KEYS)
        message_id = ordered_id(now_ms, self._random)
        await uow.operations.enqueue(OutboxMessage(message_id, TOPIC, body, now_ms, now_ms))
        return report


def _end_representation(representation_id: str) -> Act:
    async def act(effects: Effects) -> bool:
        uow = effects.uow
        # The change before the look: its lock is the strong one, so nobody waits in a circle.
        ended = await uow.authority.end_representation(representation_id, effects.now_ms)
        held = await uow.authority.representation(representation_id)
        if held is None:
            raise NotFound(f"there is no representation {representation_id}")
        if not ended:
            return False
        effects.count("representations")
        await effects.end_authority(representation_id)
        # Through it the person may have acted for others, as one of an agent's people.
        others = await uow.authority.representations_of(held.person_id)
        if any(
            one.organisation_id == held.organisation_id
            and one.role in ACTING_ROLES
            and one.ended_at is None
            for one in others
        ):
            return True
        for mandate in await uow.authority.mandates_held_by(
            HolderKind.ORGANISATION, held.organisation_id
        ):
            for credential in await uow.credentials.held_under(mandate.mandate_id):
                if credential.person_id == held.person_id:
                    await effects.revoke(credential)
            # Tokens cannot be told apart by person here; colleagues sign in again.
            await effects.end_tokens_and_offers(mandate.mandate_id)
        return True

    return act


def _close_person(person_id: str) -> Act:
    async def act(effects: Effects) -> bool:
        uow, now_ms = effects.uow, effects.now_ms
        if not await uow.people.close(person_id, now_ms):
            if await uow.people.by_id(person_id) is None:
                raise NotFound(f"there is no person {person_id}")
            return False
        effects.count("sessions", await uow.sign_ins.end_sessions_of(person_id, now_ms))
        effects.count("consents", await uow.sign_ins.end_consents(now_ms, person_id=person_id))
        await effects.end_tokens_by(person_id)
        for mandate in await uow.authority.mandates_held_by(HolderKind.PERSON, person_id):
            if not is_over(mandate):
                await effects.end_mandate(mandate, Side.HOLDER)
        # The register's fact stays; what was given out on it does not.
        for held in await uow.authority.representations_of(person_id):
            await effects.end_authority(held.representation_id)
        await effects.revoke_held_by(person_id)
        # Those are left that came through an agent, whose mandate goes on.
        offers = await uow.credentials.end_offers_by_person(person_id, now_ms)
        effects.count("offers", offers)
        return True

    return act


def _disable_client(client_id: str) -> Act:
    async def act(effects: Effects) -> bool:
        uow, now_ms = effects.uow, effects.now_ms
        if not await uow.clients.disable(client_id, now_ms):
            if await uow.clients.by_id(client_id) is None:
                raise NotFound(f"there is no client {client_id}")
            return False
        ended = await uow.grants.end_by_client(client_id, now_ms, effects.reason)
        effects.count("authorizations", ended)
        effects.count("consents", await uow.sign_ins.end_consents(now_ms, client_id=client_id))
        return True

    return act
