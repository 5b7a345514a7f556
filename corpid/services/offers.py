"""Credential offers (OpenID4VCI 1.0, 4.1): made by an operator or a page, for one person.

Redeemed by a pre-authorized code, or by signing in (the authorization code flow), when the
request names the offer by its ``issuer_state``. The code and the state are computed from the
offer's id under the token key: the offer can be shown again by reference, and neither the
database nor a backup of it redeems one. ``authorization_server`` is in no offer: the metadata
names none, for the issuer is its own (4.1.1: it must not be used then).
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

import orjson

from corpid.domain.errors import InvalidValue, NotAllowed, NotFound
from corpid.domain.identifiers import new_id
from corpid.services.authorities import ActingAuthority
from corpid.services.credential_type import CredentialType
from corpid.services.offered_credentials import authority_for, check_branch, offered_types
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import BY_CODE, BY_SIGN_IN, Offer
from keys import base64url
from keys.clock import Clock, Random
from oidc.errors import AccessDenied
from oidc.secrets import PRE_AUTHORIZED_CODE, TokenHasher

LIFETIME: Final = 600
"""Seconds."""
MAX_LIFETIME: Final = 7 * 24 * 3600
SCHEME: Final = "openid-credential-offer://"
HAIP_SCHEME: Final = "haip-vci://"
"""That of wallets of the profile (HAIP 1.0, 4.2)."""
GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
GRANTS: Final = (BY_CODE, BY_SIGN_IN)
MAX_DESCRIPTION: Final = 300
"""Characters of what a wallet shows beside the field for the transaction code (4.1.1)."""
_DIGITS: Final = 6
_MAC_BYTES: Final = 16
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{22}")
_CODE_HASH_BYTES: Final = 32
_TRANSACTION_CODE: Final = re.compile(r"[0-9A-Za-z]{4,32}")
_DESCRIPTION: Final = "The code that the sender of this offer gave you in another way"


@dataclass(frozen=True, slots=True)
class CreatedOffer:
    """A fresh offer. ``link`` and ``transaction_code`` are shown once and travel apart.

    ``transaction_code`` is None where the offer has no code that it would belong to.
    """

    offer_id: str
    link: str
    reference: str
    transaction_code: str | None
    document: Mapping[str, Any]
    expires_at: int


@dataclass(frozen=True, slots=True)
class NewOffer:
    """An offer that is made but not recorded yet: nobody can redeem it."""

    created: CreatedOffer
    kinds: tuple[CredentialType, ...]
    branch: str | None
    authority_id: str | None
    actor: str
    made: Offer

    async def check(self, uow: UnitOfWork) -> ActingAuthority:
        """Refuse what this person may not be offered now; the authority that it rests on.

        Raises:
            NotAllowed, InvalidValue: see ``Offers.create``.
        """
        made = self.made
        person = await uow.people.by_id(made.person_id)
        if person is None or person.closed_at is not None:
            raise NotAllowed("this person is not known, or the account is closed")
        authority = await authority_for(
            uow,
            made.person_id,
            made.organisation_id,
            made.created_at,
            self.kinds,
            self.authority_id,
        )
        await check_branch(uow, made.organisation_id, self.kinds, self.branch)
        if BY_SIGN_IN in made.grants and (self.branch or not authority.is_sole):
            # Whoever signs in acts alone, and for the business as a whole.
            raise InvalidValue(
                "an offer about one branch, or by a joint mandate, is redeemed by its code"
            )
        return authority

    async def record(self, uow: UnitOfWork, told: Mapping[str, object] | None = None) -> None:
        """Check it and keep it, inside a write; ``told`` goes into the audit trail besides.

        Raises:
            NotAllowed, InvalidValue: see ``Offers.create``.
        """
        made = self.made
        authority = await self.check(uow)
        await uow.credentials.add_offer(replace(made, authority=authority.authority_id))
        facts = {
            "offer_id": made.offer_id,
            "organisation_id": made.organisation_id,
            "person_id": made.person_id,
            "authority": authority.authority_id,
            "types": list(made.credentials),
            "grants": list(made.grants),
            "actor": self.actor,
            **(told or {}),
        }
        await uow.operations.audit("offer.created", facts)


class Offers:
    """Makes offers and shows them by reference. ``issuer`` is the Credential Issuer Identifier."""

    def __init__(
        self, store: Store, hasher: TokenHasher, issuer: str, clock: Clock, random: Random
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._issuer = issuer
        self._clock = clock
        self._random = random

    async def create(
        self,
        organisation_id: str,
        person_id: str,
        configuration_ids: Sequence[str],
        **more: Any,
    ) -> CreatedOffer:
        """Make an offer and keep it; see ``prepare``.

        Raises:
            NotAllowed: the person has no authority for the organisation now, or none that these
                credentials are given for, and why.
            InvalidValue: as ``prepare``; or no or another branch than the business has, or one in
                which this cannot be redeemed.
        """
        offer = self.prepare(organisation_id, person_id, configuration_ids, **more)
        await self._store.write(offer.record)
        return offer.created

    def prepare(
        self,
        organisation_id: str,
        person_id: str,
        configuration_ids: Sequence[str],
        *,
        actor: str,
        grants: Sequence[str] = (BY_CODE,),
        transaction_code: str | None = None,
        description: str = _DESCRIPTION,
        lifetime: int = LIFETIME,
        branch: str | None = None,
        authority_id: str | None = None,
    ) -> NewOffer:
        """Make an offer of these credentials; ``actor`` (for the audit) made it.

        A type's id is the id of its configuration in the format SD-JWT VC.
        ``grants`` are the ways in which it may be redeemed, once in all. Without
        ``transaction_code`` six random digits are taken; ``description`` tells its holder where
        to find it. ``lifetime`` is in seconds. ``branch`` is the code of the one that a credential
        about a branch is meant for; ``authority_id`` the authority that all rest on, by default
        the first that every one of them can.

        Raises:
            InvalidValue: no credential, one twice or unknown, no or an unknown way; an unusable
                transaction code, description or lifetime.
        """
        kinds = offered_types(configuration_ids)
        if not 0 < lifetime <= MAX_LIFETIME:
            raise InvalidValue("an offer holds for at least a second and at most seven days")
        if not grants or len(set(grants)) != len(grants) or not set(grants) <= set(GRANTS):
            raise InvalidValue(f"an offer is redeemed by {' or '.join(GRANTS)}, each named once")
        code = self._transaction_code(grants, transaction_code)
        now_ms = int(self._clock() * 1000)
        offer_id = new_id(self._random)
        made = Offer(
            offer_id=offer_id,
            code_hash=self._code_hash(offer_id, grants),
            transaction_code_hash=None if code is None else self._hasher.hash(code),
            organisation_id=organisation_id,
            person_id=person_id,
            authority="",  # known in the transaction
            credentials=tuple(
                f"{name}/{branch}" if kind.rule.of_branch and branch else name
                for name, kind in kinds.items()
            ),
            created_at=now_ms,
            expires_at=now_ms + lifetime * 1000,
            grants=tuple(grants),
            tx_code=None if code is None else _asked_for(code, description),
        )
        return NewOffer(
            created=self._created(made, code),
            kinds=tuple(kinds.values()),
            branch=branch,
            authority_id=authority_id,
            actor=actor,
            made=made,
        )

    def _created(self, made: Offer, code: str | None) -> CreatedOffer:
        document = self._document(made)
        by_value = quote(orjson.dumps(document), safe="")
        return CreatedOffer(
            offer_id=made.offer_id,
            link=f"{SCHEME}?credential_offer={by_value}",
            reference=self.reference(made.offer_id),
            transaction_code=code,
            document=document,
            expires_at=made.expires_at,
        )

    def reference(self, offer_id: str, scheme: str = SCHEME) -> str:
        """The link to the offer by reference (4.1.3), for wallets of that scheme."""
        address = f"{self._issuer.rstrip('/')}/offers/{offer_id}"
        return f"{scheme}?credential_offer_uri={quote(address, safe='')}"

    async def withdraw(self, offer_id: str, *, actor: str, reason: str = "") -> bool:
        """End an offer that nobody took; False when it was taken, ended or over already.

        ``actor`` and ``reason`` are for the audit trail.

        Raises:
            NotFound: there is no such offer.
        """
        return await self._store.write(
            lambda uow: self.withdraw_in(uow, offer_id, actor=actor, reason=reason)
        )

    async def withdraw_in(
        self, uow: UnitOfWork, offer_id: str, *, actor: str, reason: str = ""
    ) -> bool:
        """The same inside a write.

        Raises:
            NotFound: there is no such offer.
        """
        if await uow.credentials.offer(offer_id) is None:
            raise NotFound("there is no such offer")
        if not await uow.credentials.end_offer(offer_id, int(self._clock() * 1000)):
            return False
        facts = {"offer_id": offer_id, "actor": actor, "reason": reason}
        await uow.operations.audit("offer.withdrawn", facts)
        return True

    async def document(self, offer_id: str) -> dict[str, Any] | None:
        """The offer by reference (4.1.3); None when it is unknown, used, ended or expired."""
        offer = await self._store.read.credentials.offer(offer_id)
        if offer is None or not offer.is_open(int(self._clock() * 1000)):
            return None
        return self._document(offer)

    async def of_issuer_state(self, issuer_state: str) -> Offer | None:
        """The offer that an authorization request goes on with, open or over.

        None when the value is none of ours: it is not sure to come from here (5.1.3), so it is
        then as if it had not been sent.
        """
        if _STATE.fullmatch(issuer_state) is None:
            return None
        offer_id, _, _ = issuer_state.partition(".")
        if not hmac.compare_digest(issuer_state, self._issuer_state(offer_id)):
            return None
        offer = await self._store.read.credentials.offer(offer_id)
        return None if offer is None or BY_SIGN_IN not in offer.grants else offer

    def _document(self, offer: Offer) -> dict[str, Any]:
        grants: dict[str, Any] = {}
        if BY_SIGN_IN in offer.grants:
            grants[BY_SIGN_IN] = {"issuer_state": self._issuer_state(offer.offer_id)}
        if BY_CODE in offer.grants:
            grant: dict[str, Any] = {"pre-authorized_code": self._code(offer.offer_id)}
            if offer.transaction_code_hash is not None:
                # One of before these were kept: an object alone says that a code is needed.
                grant["tx_code"] = dict(offer.tx_code or {"description": _DESCRIPTION})
            grants[GRANT_TYPE] = grant
        return {
            "credential_issuer": self._issuer,
            "credential_configuration_ids": [one.partition("/")[0] for one in offer.credentials],
            "grants": grants,
        }

    def _transaction_code(self, grants: Sequence[str], wanted: str | None) -> str | None:
        if BY_CODE not in grants:
            if wanted is not None:
                raise InvalidValue("a transaction code belongs to a pre-authorized code")
            return None
        code = self._six_digits() if wanted is None else wanted
        if not _TRANSACTION_CODE.fullmatch(code):
            raise InvalidValue("a transaction code has 4 to 32 letters or digits")
        return code

    def _code_hash(self, offer_id: str, grants: Sequence[str]) -> bytes:
        if BY_CODE in grants:
            return self._hasher.hash(self._code(offer_id))
        return self._random(_CODE_HASH_BYTES)  # of no code

    def _issuer_state(self, offer_id: str) -> str:
        mac = self._hasher.hash(f"issuer_state:{offer_id}")[:_MAC_BYTES]
        return f"{offer_id}.{base64url.encode(mac)}"

    def _code(self, offer_id: str) -> str:
        return PRE_AUTHORIZED_CODE + base64url.encode(self._hasher.hash(f"offer:{offer_id}"))

    def _six_digits(self) -> str:
        # 128 random bits: the remainder's bias is beyond measuring.
        number = int.from_bytes(self._random(16), "big") % 10**_DIGITS
        return f"{number:0{_DIGITS}d}"


async def use_up(uow: UnitOfWork, offer_id: str | None, now_ms: int) -> None:
    """Redeem an offer, if there is one, by signing in, inside the write of what it leads to.

    Raises:
        AccessDenied: it was used, or has ended, meanwhile.
    """
    if offer_id is None:
        return
    if not await uow.provider_writes.claim_offer(offer_id, now_ms):
        raise AccessDenied("the credential offer was used or has ended")
    await uow.operations.audit("offer.used", {"offer_id": offer_id})


def _asked_for(code: str, description: str) -> dict[str, Any]:
    """The ``tx_code`` object of an offer (4.1.1).

    Raises:
        InvalidValue: the description is longer than a wallet has to show.
    """
    if not 0 < len(description) <= MAX_DESCRIPTION or not description.isprintable():
        raise InvalidValue(f"the description is a line of 1 to {MAX_DESCRIPTION} characters")
    return {
        "input_mode": "numeric" if code.isdigit() else "text",
        "length": len(code),
        "description": description,
    }
