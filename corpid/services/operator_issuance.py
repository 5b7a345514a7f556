"""Issuing at an operator's word: by the decision, signature and record of the credential endpoint.

What the endpoint learns from an access token and a proof, an operator names: business, person,
type, and how it is known whose key it is (docs/adr/0017). Whether the holder may have it is
decided by the same rules, and recorded with the operator's name.
"""

import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from corpid.domain.dates import hong_kong_date
from corpid.domain.errors import DomainError, InvalidValue, NotAllowed
from corpid.domain.issuance import KeyEvidence, Reason, Refusal
from corpid.services.authorities import ACTING_ROLES, ActingAuthority
from corpid.services.credential_catalogue import TYPES
from corpid.services.credential_facts import Denied
from corpid.services.credential_type import CredentialType
from corpid.services.credentials import CredentialIssuance
from corpid.services.issuance_requests import IssuanceRequest
from corpid.services.offered_credentials import authority_for, check_branch
from corpid.services.offers import NewOffer, Offers
from corpid.services.organisations import find_organisation
from corpid.services.people import find_person
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import BY_OPERATOR
from keys import base64url
from keys.errors import KeysError
from keys.jwk import PublicKey, parse_public
from oidc.errors import OAuthError
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.context import Issuer
from oidc.issuer.credential_request import DETAILS_TYPE, JWT, Proofs
from oidc.issuer.holders import check_holders
from oidc.issuer.issuing import Order, sign
from oidc.issuer.ports import BasisChanged
from oidc.issuer.proofs import ALGORITHMS
from oidc.records import Grant

OFFER_LIFETIME: Final = 7 * 24 * 3600
"""Seconds that an offer holds which is made here: they are sent out, and many at a time."""
REFUSALS: Final = (Denied, NotAllowed)
"""That somebody may not have a credential; other errors say that it was asked for wrongly."""
_ATTEMPTS: Final = 3
_ID_BYTES: Final = 16


class Prepared(Protocol):
    """What is ready to be recorded, and handed out once that is durable."""

    @property
    def result(self) -> Mapping[str, Any]:
        """Members of the line that the operator gets."""

    async def record(self, uow: UnitOfWork) -> None:
        """Record it, inside a write.

        Raises:
            BasisChanged: prepare it again.
            Denied, NotAllowed, InvalidValue: not any more.
        """


@dataclass(frozen=True, slots=True)
class _Ready:
    result: Mapping[str, Any]
    write: Callable[[UnitOfWork], Awaitable[None]]

    async def record(self, uow: UnitOfWork) -> None:
        await self.write(uow)


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be issued, checked as far as can be without doing it."""

    organisation_id: str
    person_id: str
    order: Order | None
    evidence: KeyEvidence | None
    offer: NewOffer | None


class OperatorIssuance:
    """Plans and prepares single credentials and offers.

    ``issuer`` is that of the service; its ``credential_nonces`` are those that operators give out.
    ``actor`` and ``reason`` are for the audit trail. An operator's word for a key needs a reason.
    """

    def __init__(
        self,
        store: Store,
        issuance: CredentialIssuance,
        issuer: Issuer,
        offers: Offers,
        *,
        actor: str,
        reason: str,
        offer_lifetime: int = OFFER_LIFETIME,
    ) -> None:
        self._store = store
        self._issuance = issuance
        self._issuer = issuer
        self._offers = offers
        self._actor = actor
        self._reason = reason
        self._offer_lifetime = offer_lifetime

    async def plan(self, request: IssuanceRequest, since: int | None = None) -> Plan:
        """Find whose it is and decide whether they may have it; writes nothing.

        What the same key got from ``since`` (epoch ms) on, and never answered, was lost; by default
        nothing was.

        Raises:
            DomainError, OAuthError: no, and why.
        """
        read, now = self._store.read, self._issuer.clock()
        now_ms = int(now * 1000)
        business = (await find_organisation(read, request.organisation)).organisation_id
        configuration, kind = self._what(request.type)
        person_id = await self._who(request, business, now_ms)
        if request.offer:
            offer = self._offers.prepare(
                business,
                person_id,
                [request.type],
                actor=self._actor,
                lifetime=self._offer_lifetime,
                branch=request.branch,
                authority_id=request.authority,
            )
            await offer.check(read)
            return Plan(business, person_id, None, None, offer)
        key, evidence = await self._key(request, configuration, kind, now)
        await check_branch(read, business, [kind], request.branch)
        authority = await authority_for(
            read, person_id, business, now_ms, [kind], request.authority
        )
        grant = _grant(authority, person_id, key, configuration, request.branch, now_ms)
        await self._issuance.allowed(grant, configuration)
        order = Order(grant, configuration, (key,), now, now_ms + 1 if since is None else since)
        return Plan(business, person_id, order, evidence, None)

    async def prepare(
        self, request: IssuanceRequest, told: Mapping[str, object], since: int | None = None
    ) -> Prepared:
        """Plan it and sign it; nobody has it before it is recorded. ``told`` goes into the audit.

        Raises:
            DomainError, OAuthError: no, and why.
        """
        plan = await self.plan(request, since)
        if plan.offer is not None:
            return _offered(plan.offer, {"reason": self._reason, **told})
        order, issuance = plan.order, self._issuance
        assert order is not None
        assert plan.evidence is not None
        issuances = await issuance.decide(order.grant, order.configuration, 1, order.stated_time)
        signed = await sign(self._issuer, order, issuances)
        facts = {
            "actor": self._actor,
            "reason": self._reason,
            "key": plan.evidence.value,
            **told,
        }
        result = {
            "credential_id": issuances[0].credential_id,
            "format": order.configuration.format,
            "credential": signed.encoded[0].credential,
        }

        async def record(uow: UnitOfWork) -> None:
            await issuance.records(uow, facts).record(signed.issued)

        return _Ready(result, record)

    async def issue(self, request: IssuanceRequest) -> Mapping[str, Any]:
        """Issue one, and return what is handed out: it is durable.

        Raises:
            DomainError, OAuthError: no, and why.
        """
        try:
            return await self._issue(request)
        except REFUSALS as error:
            code, text = reason_of(error), str(error)
            facts = {"configuration": request.type, "organisation": request.organisation}
            await self._store.write(lambda uow: self.tell_refusal(uow, code, text, facts))
            raise

    async def tell_refusal(
        self, uow: UnitOfWork, reason: str, text: str, more: Mapping[str, object]
    ) -> None:
        """Write a refusal into the audit trail, inside a write."""
        facts = {"reason": reason, "text": text, "actor": self._actor, **more}
        await uow.operations.audit("credential.refused", facts)

    async def _issue(self, request: IssuanceRequest) -> Mapping[str, Any]:
        for _ in range(_ATTEMPTS):
            prepared = await self.prepare(request, {})
            with contextlib.suppress(BasisChanged):
                await self._store.write(prepared.record)
                return prepared.result
        raise NotAllowed("what this credential says is changing just now: try again")

    def _what(self, name: str) -> tuple[CredentialConfiguration, CredentialType]:
        known = self._issuer.config.configurations
        configuration = known.get(name)
        if configuration is None:
            raise InvalidValue(f"{name!r} is no credential type: choose from {', '.join(known)}")
        return configuration, TYPES[configuration.description.type_id]

    async def _who(self, request: IssuanceRequest, organisation_id: str, now_ms: int) -> str:
        if request.person is not None:
            return (await find_person(self._store.read, request.person)).person_id
        today = hong_kong_date(now_ms).isoformat()
        found = {
            one.person_id
            for one in await self._store.read.authority.representations_in(organisation_id)
            if one.role in ACTING_ROLES and one.holds_on(today)
        }
        if len(found) != 1:
            raise InvalidValue(
                f"name the person: the register has {len(found) or 'none'} who may act for this "
                "business"
            )
        return found.pop()

    async def _key(
        self,
        request: IssuanceRequest,
        configuration: CredentialConfiguration,
        kind: CredentialType,
        now: float,
    ) -> tuple[PublicKey, KeyEvidence]:
        """The holder's key, and by what it is known to be theirs."""
        if request.proof is not None:
            proofs = Proofs(JWT, (request.proof,))
            holders = await check_holders(proofs, configuration, self._issuer, "", now)
            return holders[0], KeyEvidence.PROOF
        assert request.jwk is not None
        refusal = kind.rule.key_refusal(KeyEvidence.OPERATOR)
        if refusal is None and configuration.key_attestation is not None:
            refusal = Refusal(
                Reason.KEY_NOT_ATTESTED,
                "this credential needs a key that is attested: send a proof with its attestation",
            )
        if refusal is not None:
            raise Denied(refusal)
        if not self._reason:
            raise InvalidValue("say with --reason why these keys are known to be their holders'")
        return _public(request.jwk), KeyEvidence.OPERATOR


def reason_of(error: DomainError | OAuthError) -> str:
    """A stable code of why not."""
    return error.reason.value if isinstance(error, Denied) else error.code


def _public(jwk: Mapping[str, Any]) -> PublicKey:
    try:
        key = parse_public(jwk)
    except KeysError as error:
        raise InvalidValue(f"jwk is not acceptable: {error.code}") from None
    if not ALGORITHMS & key.algs:
        raise InvalidValue(f"jwk is a key for {', '.join(sorted(ALGORITHMS))}")
    return key


def _offered(offer: NewOffer, told: Mapping[str, object]) -> Prepared:
    made = offer.created
    result = {
        "offer_id": made.offer_id,
        "link": made.link,
        "reference": made.reference,
        "transaction_code": made.transaction_code,
        "offer_expires_at": made.expires_at,
    }
    return _Ready(result, lambda uow: offer.record(uow, told))


def _grant(
    authority: ActingAuthority,
    person_id: str,
    key: PublicKey,
    configuration: CredentialConfiguration,
    branch: str | None,
    now_ms: int,
) -> Grant:
    """What the operator stands for, in the shape in which the decision knows it; it is not kept.

    Its id is the same for the same authority, person and key: what they get by an operator is one
    line of credentials, in which the next of a type renews the one before. It begins with the
    authority's, which begins with a time: of a file in the order of a register, the rows of the
    index lie side by side.
    """
    whose = hashlib.sha256(f"{person_id} {key.thumbprint}".encode()).digest()[:_ID_BYTES]
    detail: dict[str, Any] = {
        "type": DETAILS_TYPE,
        "credential_configuration_id": configuration.configuration_id,
    }
    if branch is not None:
        detail["credential_identifiers"] = (f"{configuration.configuration_id}/{branch}",)
    return Grant(
        grant_id=f"{BY_OPERATOR}{authority.authority_id}.{base64url.encode(whose)}",
        client_id="",
        grant_type="operator",
        subject=authority.organisation.organisation_id,
        actor=person_id,
        authority=authority.authority_id,
        session_id=None,
        scope=(),
        resource=(),
        claims={},
        authorization_details=(detail,),
        nonce=None,
        acr=None,
        amr=(),
        auth_time=None,
        created_at=now_ms,
        expires_at=now_ms,
    )
