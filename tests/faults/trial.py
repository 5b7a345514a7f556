"""A trial: round after round of kill -9 of the real service on one database.

`CORPID_KILLS` is the number of kills per database, `CORPID_SEED` repeats a run's points.
"""

import os
import random
import secrets
from collections.abc import Callable

from tests.faults.admin_process import Admin
from tests.faults.checks import Checks
from tests.faults.journal import Journal
from tests.faults.population import Population
from tests.faults.rounds import FOCI, Point, Round
from tests.support.service_process import Service, Site

KILLS = int(os.environ.get("CORPID_KILLS", "20"))
SEED = int(os.environ.get("CORPID_SEED") or secrets.randbits(32))


class Trial:
    """Round after round on one database: start, check everything, prepare, send, kill."""

    def __init__(self, site: Site, population: Population, rng: random.Random) -> None:
        self._site = site
        self._population = population
        self._rng = rng
        self._journal = Journal()
        self._checks = Checks(site, population, self._journal, rng)
        self._foci: list[str] = []
        self.starts: list[float] = []

    async def round(self) -> str:
        """One kill; where it came."""
        focus = self._next_focus()
        admin = Admin.start(self._site) if focus == "revocation" else None
        service = await self._started()
        work = Round(self._site, self._population, self._journal, service.http, self._rng)
        async with self._site.foundation() as base:
            await self._checks.all(base, service.http)
            if admin is not None:
                await admin.ready()
                await self._checks.revocations(admin)
            actions = await work.prepare(base, focus, admin)
        # From here on nobody but the victims has the database open: its recovery is theirs.
        point = Point.draw(self._rng, focus)
        victims = [service] if admin is None else [service, admin.process]
        self._rng.shuffle(victims)
        said = await work.fire(actions, point, victims)
        await service.http.close()
        return said

    async def finish(self) -> str:
        """After the last kill: everything once more, and again after a stop as usual."""
        service = await self._started()
        admin = Admin.start(self._site)
        async with self._site.foundation() as base:
            await self._checks.all(base, service.http)
            await admin.ready()
            await self._checks.revocations(admin)
        admin.process.kill()
        await service.stop()
        service = await self._started()
        async with self._site.foundation() as base:
            await self._checks.all(base, service.http)
        await service.stop()
        journal = self._journal
        first, later = self.starts[0], self.starts[1:]
        return (
            f"{journal.acknowledged} acknowledgements, {len(journal.held)} credentials; "
            f"start-up {first:.2f} s; with modules loaded {sum(later) / len(later):.2f}, "
            f"at most {max(later):.2f}"
        )

    async def _started(self) -> Service:
        service = self._site.start(fresh=not self.starts)
        self.starts.append(await service.ready())
        return service

    def _next_focus(self) -> str:
        if not self._foci:
            self._foci = self._rng.sample(FOCI, len(FOCI))
        return self._foci.pop()


async def trial_of(site: Site, population: Population, figures: Callable[[str], None]) -> None:
    """All the kills on one database. Raises when anything acknowledged is lost or counts twice."""
    trial = Trial(site, population, random.Random(SEED))
    figures(f"{site.engine}: {KILLS} kills, CORPID_SEED={SEED}")
    for number in range(1, KILLS + 1):
        figures(f"{site.engine} kill {number}: {await trial.round()}")
    figures(f"{site.engine}: {await trial.finish()}")
