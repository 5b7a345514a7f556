"""Logins leave a bounded database: what passes is purged, what lasts is counted and known.

Simulated: the rows of each login are written through the repositories, ten thousand logins a
day, as the strict profile with one in four asking for access while away. The purge runs once in
a simulated hour. CORPID_LOGINS says how many; `make soak` makes it a million.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select

from corpid.domain.identifiers import new_id
from corpid.services.ports import UnitOfWork
from corpid.storage.constructs import table
from corpid.storage.database import Database
from corpid.storage.purge import purge
from corpid.storage.statement import Statement
from corpid.storage.store import SqlStore
from oidc.secrets import new_grant_id
from tests.support import stored

SOAK = os.environ.get("CORPID_SOAK") == "1"
LOGINS = int(os.environ.get("CORPID_LOGINS", "1000000" if SOAK else "640"))
DAYS = 100 if LOGINS >= 100_000 else 64
HOUR = 60 * stored.MINUTE
PASSING = (
    "access_token",
    "authorization_code",
    "authorization_grant",
    "interaction",
    "pushed_request",
    "refresh_token",
    "replay",
    "session",
)
LASTING = ("audit", "consent")
OFFLINE_ONE_IN = 4
REFRESH_DAYS = 30
SESSION_HOURS = 8
IN_ONE_TRANSACTION = 50
# The purge is the same work for few rows as for none, so the small version has fewer of them.
STEP_HOURS = 1 if LOGINS >= 100_000 else 24


def key(ends_at: int) -> bytes:
    return stored.dated_key(ends_at, secrets.token_bytes(32))


@dataclass
class Town:
    """A service's database over some months. ``now`` in epoch ms."""

    database: Database
    now: int = stored.NOW
    logins: int = 0
    store: SqlStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = SqlStore(self.database, lambda: self.now / 1000, secrets.token_bytes)

    async def step(self, logins: int) -> None:
        """Some hours with that many logins, then the purge."""
        began = self.now
        left = logins
        while left > 0:
            some = min(left, IN_ONE_TRANSACTION)
            self.now = began + STEP_HOURS * HOUR * (logins - left) // logins
            await self.store.write(lambda uow, n=some: self._some(uow, n))  # type: ignore[misc]
            left -= some
        self.now = began + STEP_HOURS * HOUR
        await purge(self.database, self.now)

    async def _some(self, uow: UnitOfWork, number: int) -> None:
        for _ in range(number):
            self.logins += 1
            await self._login(uow)

    async def _login(self, uow: UnitOfWork) -> None:
        now, writes = self.now, uow.provider_writes
        offline = self.logins % OFFLINE_ONE_IN == 0
        session_id, grant_id = new_id(secrets.token_bytes), new_grant_id(now, secrets.token_bytes)
        until = now + (REFRESH_DAYS * 24 if offline else SESSION_HOURS) * HOUR
        parameters = {
            "client_id": "client-1",
            "response_type": "code",
            "redirect_uri": "https://bank.example/callback",
            "scope": "openid mandate offline_access" if offline else "openid mandate",
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": secrets.token_urlsafe(32),
            "code_challenge_method": "S256",
        }
        for _ in range(4):  # two client assertions, two DPoP proofs
            await writes.use_once(secrets.token_bytes(32), now + 60_000)
        pushed = stored.pushed_request(
            request_hash=key(now + 90_000), parameters=parameters, expires_at=now + 90_000
        )
        await writes.add_pushed_request(pushed)
        await uow.sign_ins.add_interaction(
            stored.interaction(
                interaction_hash=secrets.token_bytes(32),
                binding_hash=secrets.token_bytes(32),
                request=str({"parameters": parameters}),
                pushed_request_hash=pushed.request_hash,
                created_at=now,
                expires_at=now + 600_000,
            )
        )
        session = stored.session(
            session_hash=secrets.token_bytes(32),
            session_id=session_id,
            signed_in_at=now,
            began_at=now,
            seen_at=now,
            expires_at=now + SESSION_HOURS * HOUR,
        )
        await uow.sign_ins.add_session(session)
        grant = stored.grant(
            grant_id,
            session_id=session_id,
            scope=tuple(parameters["scope"].split()),
            created_at=now,
            expires_at=until,
            auth_time=now // 1000,
            nonce=parameters["nonce"],
        )
        await writes.add_grant(grant)
        await writes.add_code(
            stored.code(code_hash=key(now + 60_000), grant_id=grant_id, expires_at=now + 60_000)
        )
        access = stored.access_token(
            token_hash=key(now + 300_000),
            grant_id=grant_id,
            issued_at=now,
            expires_at=now + 300_000,
        )
        await writes.add_access_token(access)
        if offline:
            refresh = stored.refresh_token(
                token_hash=key(until),
                grant_id=grant_id,
                issued_at=now,
                expires_at=until,
            )
            await writes.add_refresh_token(refresh)
        await self._audit(uow, session_id, grant_id)

    async def _audit(self, uow: UnitOfWork, session_id: str, grant_id: str) -> None:
        who = {"session_id": session_id, "person_id": "p" * 22, "acr": "loa1", "amr": ["pwd"]}
        granted = {
            "client_id": "c" * 22,
            "grant_id": grant_id,
            "subject": "o" * 22,
            "actor": "p" * 22,
            "authority": "m" * 22,
            "scope": "openid mandate",
            "acr": "https://id.example/acr/loa2",
        }
        issued = {
            "client_id": "c" * 22,
            "grant_id": grant_id,
            "grant_type": "authorization_code",
            "scope": "openid mandate",
            "audience": "",
            "jkt": "k" * 43,
            "expires_at": self.now + 300_000,
            "refresh_token": False,
        }
        for event, facts in (
            ("session.begun", who),
            ("session.strengthened", {**who, "acr": "loa2", "amr": ["pwd", "otp"]}),
            ("authorization.granted", granted),
            ("token.issued", issued),
        ):
            await uow.operations.audit(event, facts)

    async def rows(self, *names: str) -> int:
        """How many rows these tables have together."""
        found = 0
        for name in names:
            row = await self.database.one(Statement(select(func.count()).select_from(table(name))))
            assert row is not None
            found += row[0]
        return found


@pytest.mark.timeout(0)
async def test_logins_leave_a_bounded_database(
    database: Database, engine: str, tmp_path: Any, figures: Callable[[str], None]
) -> None:
    town = Town(database)
    await stored.populate(town.store)
    per_day = LOGINS // DAYS
    passing: list[int] = []
    sizes: list[int] = []
    for _ in range(DAYS):
        steps = 24 // STEP_HOURS
        for step in range(steps):
            await town.step(per_day * (step + 1) // steps - per_day * step // steps)
        passing.append(await town.rows(*PASSING))
        if engine == "sqlite":
            sizes.append((tmp_path / "corpid.db").stat().st_size)
    lasting = await town.rows(*LASTING)
    bound = _bound(per_day)
    figures(
        f"{engine}: {town.logins} logins in {DAYS} days: {passing[-1]} passing rows "
        f"(bound {bound}), after half {passing[DAYS // 2]}; {lasting} rows of audit"
    )
    if sizes:
        grown = (sizes[-1] - sizes[DAYS // 2 - 1]) / (town.logins / 2)
        figures(
            f"{engine}: {sizes[-1] / 1e6:.1f} MB in all, {sizes[DAYS // 2 - 1] / 1e6:.1f} MB "
            f"after half; {grown:.0f} bytes a login stay (audit)"
        )
        if LOGINS >= 100_000:  # fewer do not fill their pages
            assert grown < 4 * 700  # four audit rows and nothing else
    assert max(passing) <= bound
    # Full after a month, and never fuller.
    assert passing[-1] <= 1.05 * max(passing[REFRESH_DAYS : DAYS // 2])
    assert lasting == 4 * town.logins


def _bound(per_day: int) -> int:
    """Rows that may be there at most, from the lifetimes: see docs/storage.md."""
    offline = per_day * REFRESH_DAYS // OFFLINE_ONE_IN * 2  # grant and refresh token
    hours = SESSION_HOURS + 2 * STEP_HOURS  # the session and its grant, and the purge's own turn
    sessions = per_day * hours // 24 * 2
    short = per_day * 2 * STEP_HOURS // 24 * 9  # replays, request, interaction, code, token
    return int(1.1 * (offline + sessions + short)) + 100
