"""Credential offers by pre-authorized code (OpenID4VCI 1.0, 4.1): made by an operator or a page.

The code is computed from the offer's id under the token key, and stored as a hash only: the offer
can be shown again by reference, and neither the database nor a backup of it redeems one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson

from corpid.domain.credential import CredentialType
from corpid.domain.errors import InvalidValue, NotAllowed
from corpid.domain.identifiers import new_id
from corpid.services.authorities import require_authority
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import Offer
from keys import base64url
from keys.clock import Clock, Random
from oidc.secrets import PRE_AUTHORIZED_CODE, TokenHasher

LIFETIME: Final = 600
"""Seconds."""
MAX_LIFETIME: Final = 7 * 24 * 3600
SCHEME: Final = "openid-credential-offer://"
GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
_DIGITS: Final = 6
_TRANSACTION_CODE: Final = re.compile(r"[0-9A-Za-z]{4,32}")
_DESCRIPTION: Final = "The code that the sender of this offer gave you in another way"


@dataclass(frozen=True, slots=True)
class CreatedOffer:
    """A fresh offer. ``link`` and ``transaction_code`` are shown once and travel apart."""

    offer_id: str
    link: str
    reference: str
    transaction_code: str
    document: Mapping[str, Any]
    expires_at: int


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
        types: Sequence[CredentialType],
        *,
        actor: str,
        transaction_code: str | None = None,
        lifetime: int = LIFETIME,
    ) -> CreatedOffer:
        """Make an offer of these types; ``actor`` (for the audit) made it.

        Without ``transaction_code`` six random digits are taken. ``lifetime`` is in seconds.

        Raises:
            NotAllowed: the person has no authority for the organisation now.
            InvalidValue: no type, a type twice, an unusable transaction code or lifetime.
        """
        if not types or len(set(types)) != len(types):
            raise InvalidValue("an offer names at least one credential type, each once")
        if not 0 < lifetime <= MAX_LIFETIME:
            raise InvalidValue("an offer holds for at least a second and at most seven days")
        code = self._six_digits() if transaction_code is None else transaction_code
        if not _TRANSACTION_CODE.fullmatch(code):
            raise InvalidValue("a transaction code has 4 to 32 letters or digits")
        now_ms = int(self._clock() * 1000)
        offer_id = new_id(self._random)
        expires_at = now_ms + lifetime * 1000

        async def work(uow: UnitOfWork) -> None:
            person = await uow.people.by_id(person_id)
            if person is None or person.closed_at is not None:
                raise NotAllowed("this person is not known, or the account is closed")
            authority = await require_authority(uow, person_id, organisation_id, now_ms)
            offer = Offer(
                offer_id=offer_id,
                code_hash=self._hasher.hash(self._code(offer_id)),
                transaction_code_hash=self._hasher.hash(code),
                organisation_id=organisation_id,
                person_id=person_id,
                authority=authority.authority_id,
                credential_types=tuple(types),
                created_at=now_ms,
                expires_at=expires_at,
            )
            await uow.credentials.add_offer(offer)
            facts = {
                "offer_id": offer_id,
                "organisation_id": organisation_id,
                "person_id": person_id,
                "authority": authority.authority_id,
                "types": [one.value for one in types],
                "actor": actor,
            }
            await uow.operations.audit("offer.created", facts)

        await self._store.write(work)
        numeric = code.isdigit()
        document = self._document(
            offer_id,
            types,
            {
                "input_mode": "numeric" if numeric else "text",
                "length": len(code),
                "description": _DESCRIPTION,
            },
        )
        by_value = quote(orjson.dumps(document), safe="")
        reference = f"{self._issuer.rstrip('/')}/offers/{offer_id}"
        return CreatedOffer(
            offer_id=offer_id,
            link=f"{SCHEME}?credential_offer={by_value}",
            reference=f"{SCHEME}?credential_offer_uri={quote(reference, safe='')}",
            transaction_code=code,
            document=document,
            expires_at=expires_at,
        )

    async def document(self, offer_id: str) -> dict[str, Any] | None:
        """The offer by reference (4.1.3); None when it is unknown, used, ended or expired."""
        offer = await self._store.read.credentials.offer(offer_id)
        if offer is None or offer.used_at is not None or offer.ended_at is not None:
            return None
        if int(self._clock() * 1000) >= offer.expires_at:
            return None
        # The length of the transaction code is not kept: an object alone says that one is needed.
        transaction_code = (
            None if offer.transaction_code_hash is None else {"description": _DESCRIPTION}
        )
        return self._document(offer_id, offer.credential_types, transaction_code)

    def _document(
        self,
        offer_id: str,
        types: Sequence[CredentialType],
        transaction_code: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        grant: dict[str, Any] = {"pre-authorized_code": self._code(offer_id)}
        if transaction_code is not None:
            grant["tx_code"] = dict(transaction_code)
        return {
            "credential_issuer": self._issuer,
            "credential_configuration_ids": [one.value for one in types],
            "grants": {GRANT_TYPE: grant},
        }

    def _code(self, offer_id: str) -> str:
        return PRE_AUTHORIZED_CODE + base64url.encode(self._hasher.hash(f"offer:{offer_id}"))

    def _six_digits(self) -> str:
        # 128 random bits: the remainder's bias is beyond measuring.
        number = int.from_bytes(self._random(16), "big") % 10**_DIGITS
        return f"{number:0{_DIGITS}d}"
