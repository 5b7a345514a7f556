"""Initial access tokens (RFC 7591 3): an operator's leave to register so many clients."""

from dataclasses import dataclass
from typing import Final

from corpid.domain.errors import InvalidValue, NotFound
from corpid.domain.identifiers import new_id
from corpid.services.claims import SCOPES
from corpid.services.client_metadata import GRANT_TYPES, named_sector
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import InitialToken
from corpid.services.registration_policy import RegistrationPolicy
from keys.clock import Clock, Random
from oidc.profiles import PROFILES
from oidc.secrets import TokenHasher, new_token

INITIAL_TOKEN: Final = "cid_ia_"
MAX_COUNT: Final = 1000
MAX_DAYS: Final = 366
MAX_LABEL: Final = 100
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """``token`` (256 random bits) is shown this once."""

    record: InitialToken
    token: str


class InitialTokens:
    """The use cases around initial access tokens."""

    def __init__(self, store: Store, hasher: TokenHasher, clock: Clock, random: Random) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._random = random

    async def create(
        self,
        actor: str,
        *,
        count: int = 1,
        days: int = 7,
        label: str = "",
        policy: RegistrationPolicy | None = None,
    ) -> CreatedToken:
        """A token for ``count`` registrations within ``days``; ``policy`` replaces the settings'.

        Raises:
            InvalidValue: a bound or a name is wrong.
        """
        if not 1 <= count <= MAX_COUNT:
            raise InvalidValue(f"a token is for 1 to {MAX_COUNT} registrations")
        if not 1 <= days <= MAX_DAYS:
            raise InvalidValue(f"a token is good for 1 to {MAX_DAYS} days")
        if len(label) > MAX_LABEL or not label.isprintable():
            raise InvalidValue(f"a label has at most {MAX_LABEL} characters on one line")
        if policy is not None:
            check_policy(policy)
        token = new_token(INITIAL_TOKEN, self._random)
        now_ms = int(self._clock() * 1000)
        record = InitialToken(
            token_id=new_id(self._random),
            token_hash=self._hasher.hash(token),
            label=label,
            policy=None if policy is None else policy.document(),
            uses_left=count,
            created_at=now_ms,
            expires_at=now_ms + days * _DAY_MS,
        )

        async def work(uow: UnitOfWork) -> None:
            await uow.registrations.add_initial_token(record)
            await uow.operations.audit(
                "client.token_created",
                {
                    "token_id": record.token_id,
                    "label": label,
                    "count": count,
                    "expires_at": record.expires_at,
                    "policy": record.policy,
                    "actor": actor,
                },
            )

        await self._store.write(work)
        return CreatedToken(record, token)

    async def list(self) -> list[InitialToken]:
        """Every token that is kept, used up and expired ones too."""
        return await self._store.read.registrations.initial_tokens()

    async def find(self, token_id: str) -> InitialToken:
        """One token.

        Raises:
            NotFound: there is none.
        """
        for record in await self.list():
            if record.token_id == token_id:
                return record
        raise NotFound(f"there is no token {token_id[:100]!r}")

    async def revoke(self, token_id: str, actor: str) -> bool:
        """End a token; False when it had ended before. Clients that it let in stay.

        Raises:
            NotFound: there is none.
        """
        await self.find(token_id)
        now_ms = int(self._clock() * 1000)

        async def work(uow: UnitOfWork) -> bool:
            ended = await uow.registrations.end_initial_token(token_id, now_ms)
            if ended:
                await uow.operations.audit(
                    "client.token_revoked", {"token_id": token_id, "actor": actor}
                )
            return ended

        return await self._store.write(work)


def check_policy(policy: RegistrationPolicy) -> None:
    """Refuse a policy with names that do not exist, with nothing in it, or that waives in vain.

    Raises:
        InvalidValue: and which.
    """
    for what, names, known in (
        ("profile", policy.profiles, tuple(PROFILES)),
        ("scope", policy.scopes, tuple(SCOPES)),
        ("grant type", policy.grant_types, GRANT_TYPES),
    ):
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise InvalidValue(f"unknown {what} {', '.join(unknown)}: use {', '.join(known)}")
    if policy.sector is not None:
        named_sector(policy.sector)
    if not policy.pkce_required and not any(PROFILES[one].pkce_waivable for one in policy.profiles):
        raise InvalidValue(f"the profile {', '.join(policy.profiles)} always needs PKCE")
