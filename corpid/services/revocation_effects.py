"""What ending an authority reaches, inside one transaction: credentials, entries, tokens, offers.

``Revocation`` says which act is done; here is what follows from each, so that every act ends the
same things everywhere.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from corpid.domain.credential import Credential, CredentialState, EntryStatus
from corpid.domain.dates import hong_kong_date
from corpid.domain.mandate import (
    HolderKind,
    Mandate,
    MandateEvent,
    MandateState,
    Side,
    apply,
)
from corpid.services.authorities import passed_on_stands
from corpid.services.ports import UnitOfWork
from corpid.services.records import ClientSession

_LIVE: Final = (CredentialState.ISSUED, CredentialState.ACCEPTED)
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class RevocationReport:
    """What one act ended (or suspended, or resumed). ``already`` says that nothing was left to do.

    ``authorizations`` counts grants, each with all its codes and tokens; ``status_entries`` those
    of mandates in tokens, the credentials' own entries being counted with the credentials;
    ``logouts`` the logout tokens that go to clients.
    """

    act: str
    target: str
    already: bool = False
    mandates: int = 0
    representations: int = 0
    credentials: int = 0
    status_entries: int = 0
    authorizations: int = 0
    sessions: int = 0
    consents: int = 0
    offers: int = 0
    logouts: int = 0


Act = Callable[["Effects"], Awaitable[bool]]
"""What one act does; False when there was nothing to do."""


@dataclass(slots=True)
class Effects:
    """Carries out the consequences of one act and counts them. Times in epoch ms."""

    uow: UnitOfWork
    now_ms: int
    actor: str
    reason: str
    counts: dict[str, int] = field(default_factory=dict)
    signed_out: list[ClientSession] = field(default_factory=list)

    def count(self, name: str, number: int = 1) -> None:
        """Add to a number of the report."""
        self.counts[name] = self.counts.get(name, 0) + number

    def report(self, act: str, target: str) -> RevocationReport:
        """What was done so far."""
        counted = self.counts.get
        return RevocationReport(
            act=act,
            target=target,
            mandates=counted("mandates", 0),
            representations=counted("representations", 0),
            credentials=counted("credentials", 0),
            status_entries=counted("status_entries", 0),
            authorizations=counted("authorizations", 0),
            sessions=counted("sessions", 0),
            consents=counted("consents", 0),
            offers=counted("offers", 0),
            logouts=counted("logouts", 0),
        )

    async def end_mandate(self, mandate: Mandate, side: Side) -> None:
        """End a mandate and every mandate that was passed on from it."""
        ended = apply(mandate, MandateEvent.END, side, self.now_ms)
        await self.uow.authority.change_mandate(
            ended, MandateEvent.END, side, self.actor, self.reason
        )
        self.count("mandates")
        await self.end_authority(mandate.mandate_id)
        for other in await self._passed_on(mandate):
            await self.end_mandate(other, Side.GRANTOR)

    async def end_authority(self, authority: str) -> None:
        """End everything that was given out on a mandate or representation."""
        for credential in await self.uow.credentials.held_under(authority):
            await self.revoke(credential)
        await self._set_entries(authority, EntryStatus.INVALID)
        await self.end_tokens_and_offers(authority)

    async def end_tokens_and_offers(self, authority: str) -> None:
        """End the tokens and open offers under an authority, which itself may come back."""
        grants, credentials = self.uow.grants, self.uow.credentials
        # Offers first: one that is being redeemed is waited for, and its grant is then found.
        self.count("offers", await credentials.end_offers_by_authority(authority, self.now_ms))
        self.signed_out += await grants.live_sessions(self.now_ms, authority=authority)
        self.count(
            "authorizations",
            await grants.end_by_authority(authority, self.now_ms, self.reason),
        )

    async def end_tokens_for(self, organisation_id: str) -> None:
        """End the tokens about an organisation, by whatever authority."""
        grants = self.uow.grants
        self.signed_out += await grants.live_sessions(self.now_ms, organisation_id=organisation_id)
        ended = await grants.end_by_subject(organisation_id, self.now_ms, self.reason)
        self.count("authorizations", ended)

    async def end_tokens_by(self, person_id: str) -> None:
        """End the tokens under which a person acts."""
        grants = self.uow.grants
        self.signed_out += await grants.live_sessions(self.now_ms, person_id=person_id)
        ended = await grants.end_by_actor(person_id, self.now_ms, self.reason)
        self.count("authorizations", ended)

    async def suspend_authority(self, authority: str) -> None:
        """Suspend what was given out on an authority. Tokens end: they are short-lived anyway."""
        for credential in await self.uow.credentials.held_under(authority):
            if credential.state in _LIVE:
                await self._change(credential, CredentialState.SUSPENDED, EntryStatus.SUSPENDED)
        await self._set_entries(authority, EntryStatus.SUSPENDED)
        await self.end_tokens_and_offers(authority)

    async def resume_authority(self, authority: str) -> None:
        """Bring back what suspension took, tokens apart: the person signs in again.

        Credentials that were suspended by themselves stay so.
        """
        for credential in await self.uow.credentials.held_under(authority):
            if credential.state is CredentialState.SUSPENDED and not credential.on_hold:
                await self._change(credential, CredentialState.ACCEPTED, EntryStatus.VALID)
        await self._set_entries(authority, EntryStatus.VALID)

    async def suspend_passed_on(self, mandate: Mandate) -> None:
        """Suspend what was given out on the mandates that were passed on from this one."""
        for other in await self._passed_on(mandate):
            await self.suspend_authority(other.mandate_id)
            await self.suspend_passed_on(other)

    async def resume_with_passed_on(self, mandate: Mandate) -> None:
        """Bring back what rests on a mandate and on those passed on from it, where it may."""
        if not await self.may_resume(mandate):
            return
        await self.resume_authority(mandate.mandate_id)
        for other in await self._passed_on(mandate):
            await self.resume_with_passed_on(other)

    async def _passed_on(self, mandate: Mandate) -> list[Mandate]:
        given = await self.uow.authority.mandates_in(mandate.organisation_id)
        return [one for one in given if one.parent_id == mandate.mandate_id and not is_over(one)]

    async def suspend_organisation(self, organisation_id: str) -> None:
        """Suspend everything that was given out for an organisation that is not live any more."""
        for authority in await self.authorities_in(organisation_id):
            await self.suspend_authority(authority)
        await self.end_tokens_for(organisation_id)

    async def resume_organisation(self, organisation_id: str) -> None:
        """Bring that back, if the organisation is live by every account."""
        if not await self._is_live(organisation_id):
            return
        for authority in await self.authorities_in(organisation_id):
            mandate = await self.uow.authority.mandate(authority)
            if mandate is None or await self.may_resume(mandate):
                await self.resume_authority(authority)

    async def end_organisation(self, organisation_id: str) -> None:
        """End everything that rests on an organisation that has ended.

        Its representations end too: an entry that is invalid never comes back, so a restored
        business begins with new ones.
        """
        uow, now_ms = self.uow, self.now_ms
        for held in await uow.authority.representations_in(organisation_id):
            if await uow.authority.end_representation(held.representation_id, now_ms):
                self.count("representations")
                await self.end_authority(held.representation_id)
        given = await uow.authority.mandates_in(organisation_id)
        as_agent = await uow.authority.mandates_held_by(HolderKind.ORGANISATION, organisation_id)
        for listed in (*given, *as_agent):
            # Read again: one that was passed on has ended with the one before it.
            mandate = await uow.authority.mandate(listed.mandate_id)
            if mandate is not None and not is_over(mandate):
                by_grantor = mandate.organisation_id == organisation_id
                await self.end_mandate(mandate, Side.GRANTOR if by_grantor else Side.HOLDER)
        await self._revoke_all(organisation_id=organisation_id)
        await self.end_tokens_for(organisation_id)
        consents = await uow.sign_ins.end_consents(now_ms, organisation_id=organisation_id)
        self.count("consents", consents)

    async def revoke(self, credential: Credential) -> None:
        """Revoke one credential that is not over yet."""
        await self._change(credential, CredentialState.REVOKED, EntryStatus.INVALID)

    async def end_ways_to_more(self, grant_id: str) -> None:
        """End a grant, and that by which its wallet would get another one.

        The consent goes too, and the sign-in in which it was given: else the wallet's browser
        would fetch a grant anew that nobody is asked about.
        """
        uow, now_ms = self.uow, self.now_ms
        given = await uow.grants.by_id(grant_id)
        if given is None:  # an operator issued, or it is long over
            return
        if given.session_id is not None:  # before its grants, as where somebody signs out
            await self._end_session(given.session_id)
        self.count("authorizations", await uow.grants.end(grant_id, now_ms, self.reason))
        if given.client_id and given.actor is not None and given.subject is not None:
            # For this organisation alone: whoever manages its credentials decides for no other.
            ended = await uow.sign_ins.end_consent(
                given.actor, given.subject, given.client_id, now_ms
            )
            self.count("consents", ended)

    async def _end_session(self, session_id: str) -> None:
        uow, now_ms = self.uow, self.now_ms
        if not await uow.sign_ins.end_session(session_id, now_ms):
            return
        self.count("sessions")
        self.signed_out += await uow.grants.in_session(session_id)
        ended = await uow.grants.end_signed_out(session_id, now_ms, self.reason)
        self.count("authorizations", ended)

    async def hold(self, credential: Credential) -> None:
        """Suspend one credential that is not over, by itself.

        Whoever does so last is who holds it: what its holder suspended an operator may take over.
        """
        if credential.on_hold and await self._holds(credential):
            return
        if not credential.on_hold:
            await self.uow.credentials.hold(credential.credential_id, self.now_ms)
        # With its authority it may be suspended already: the history says what goes beyond that.
        await self._change(credential, CredentialState.SUSPENDED, EntryStatus.SUSPENDED)

    async def _holds(self, credential: Credential) -> bool:
        changes = await self.uow.credentials.changes_of(credential.credential_id)
        held = [one.actor for one in changes if one.state is CredentialState.SUSPENDED]
        return bool(held) and held[-1] == self.actor

    async def release(self, credential: Credential, *, resume: bool) -> None:
        """Take back ``hold``; without ``resume`` something else keeps it suspended."""
        await self.uow.credentials.hold(credential.credential_id, None)
        if resume:
            await self._change(credential, CredentialState.ACCEPTED, EntryStatus.VALID)
        else:
            self.count("credentials")

    async def authority_stands(self, credential: Credential) -> bool:
        """Whether nothing keeps the authority suspended that a credential rests on."""
        if credential.mandate_id is not None:
            mandate = await self.uow.authority.mandate(credential.mandate_id)
            return mandate is not None and await self.may_resume(mandate)
        return await self._is_live(credential.organisation_id)

    async def revoke_held_by(self, person_id: str) -> None:
        """Revoke every credential of a person."""
        await self._revoke_all(person_id=person_id)

    async def _revoke_all(self, **of_whom: str) -> None:
        for state in (*_LIVE, CredentialState.SUSPENDED):
            while True:
                found = await self.uow.credentials.find(**of_whom, state=state, limit=_PAGE)
                for credential in found:
                    await self.revoke(credential)
                if len(found) < _PAGE:
                    break

    async def authorities_in(self, organisation_id: str) -> list[str]:
        """Every authority to act for an organisation that is not over, and what it holds itself."""
        uow = self.uow
        found = [
            one.representation_id for one in await uow.authority.representations_in(organisation_id)
        ]
        given = await uow.authority.mandates_in(organisation_id)
        held = await uow.authority.mandates_held_by(HolderKind.ORGANISATION, organisation_id)
        found += [one.mandate_id for one in (*given, *held) if not is_over(one)]
        return list(dict.fromkeys(found))

    async def may_resume(self, mandate: Mandate) -> bool:
        """Whether nothing else keeps a mandate's artefacts suspended."""
        today = hong_kong_date(self.now_ms).isoformat()
        if mandate.state is MandateState.SUSPENDED:
            return False
        if not await passed_on_stands(self.uow, mandate, today):
            return False
        organisations = [mandate.organisation_id]
        if mandate.holder_kind is HolderKind.ORGANISATION:
            organisations.append(mandate.holder_id)
        for organisation_id in organisations:
            if not await self._is_live(organisation_id):
                return False
        return True

    async def _is_live(self, organisation_id: str) -> bool:
        organisation = await self.uow.organisations.by_id(organisation_id)
        return organisation is not None and organisation.is_live

    async def _set_entries(self, authority: str, status: EntryStatus) -> None:
        """Set the entries of an authority in tokens; an invalid one never comes back."""
        lists = self.uow.status_lists
        entries = await lists.mandate_entries(authority)
        if entries:
            # Others that change statuses wait from here on: what is read next stays true.
            await self.uow.operations.bump("status")
        for entry in entries:
            if await lists.status_of(entry) not in (EntryStatus.INVALID, status):
                await lists.set_status(entry, status, self.now_ms)
                self.count("status_entries")

    async def _change(
        self, credential: Credential, state: CredentialState, status: EntryStatus
    ) -> None:
        if not await self.uow.credentials.change_state(
            credential.credential_id, state, self.now_ms, self.reason, self.actor
        ):
            return  # revoked or replaced by somebody else since it was read
        await self.uow.status_lists.set_status(credential.entry, status, self.now_ms)
        self.count("credentials")


def is_over(mandate: Mandate) -> bool:
    """Whether a mandate has reached a final state."""
    return mandate.state in (MandateState.ENDED, MandateState.DECLINED)
