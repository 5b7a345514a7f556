"""Library calls, awaited one after another on the server's core while it is idle."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench import sample
from bench.machine import pinned
from keys.jwk import parse_public
from keys.signer import LocalSigner, generate
from oidc.formats.sd_jwt import (
    Disclosable,
    issue,
    key_binding,
    parse,
    present,
    verify_credential,
    verify_key_binding,
)
from oidc.formats.status_list import StatusList

_ALGS = frozenset({"ES256"})
_REVOKED_PER_MILLE = 10
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """CPU of one call in microseconds; percentiles in milliseconds; its P-256 operations."""

    name: str
    cpu_us: float
    p50_ms: float
    p99_ms: float
    verifies: int = 0
    signs: int = 0


class Taken(NamedTuple):
    """CPU and time of single calls, microseconds."""

    cpu_us: list[float]
    wall_us: list[float]


Take = Callable[[int], Awaitable[Taken]]
"""Makes that many calls, one after another."""


@dataclass(frozen=True, slots=True)
class Case:
    """A call that is measured, and the P-256 operations in it."""

    name: str
    take: Take
    verifies: int = 0
    signs: int = 0


def repeated(call: Callable[[], Awaitable[object]], calls: int = 1) -> Take:
    """A call in this thread, which makes `calls` calls each time."""

    async def take(count: int) -> Taken:
        await call()
        taken = Taken([], [])
        for _ in range(count):
            used, begun = time.thread_time(), time.perf_counter()
            await call()
            taken.wall_us.append((time.perf_counter() - begun) * 1e6 / calls)
            taken.cpu_us.append((time.thread_time() - used) * 1e6 / calls)
        return taken

    return take


async def measure(
    core: int, groups: Mapping[str, Sequence[Case]], repeats: int
) -> dict[str, list[LibraryRow]]:
    """Repeat every case on that core, in rounds that take turns.

    A machine that others use is faster in one second than in the next: who is compared must have
    been measured in the same seconds.
    """
    rounds = min(_ROUNDS, repeats)
    taken = {name: [Taken([], []) for _ in cases] for name, cases in groups.items()}
    with pinned(core):
        for _ in range(rounds):
            for name, cases in groups.items():
                for case, so_far in zip(cases, taken[name], strict=True):
                    more = await case.take(repeats // rounds)
                    so_far.cpu_us.extend(more.cpu_us)
                    so_far.wall_us.extend(more.wall_us)
                    await asyncio.sleep(0)
    return {
        name: [_row(case, one) for case, one in zip(cases, taken[name], strict=True)]
        for name, cases in groups.items()
    }


def _row(case: Case, taken: Taken) -> LibraryRow:
    wall = sorted(taken.wall_us)
    return LibraryRow(
        case.name,
        statistics.median(taken.cpu_us),
        statistics.median(wall) / 1e3,
        wall[min(len(wall) - 1, int(len(wall) * 0.99))] / 1e3,
        case.verifies,
        case.signs,
    )


@dataclass(frozen=True, slots=True)
class SdJwtSample:
    """What every SD-JWT library issues, and the one presentation that each of them verifies."""

    issuer_jwk: dict[str, str]
    holder_jwk: dict[str, str]
    claims: dict[str, Any]
    presentation: str


async def sd_jwt_cases() -> tuple[list[Case], SdJwtSample]:
    """Ours, and what others do for theirs."""
    signer, holder = generate("ES256"), generate("ES256")
    issuer_key = parse_public(signer.public_jwk)
    frame = Disclosable(sample.HIDDEN)
    now = time.time()
    claims = sample.credential_claims(now)

    async def one_issue() -> str:
        return await issue(signer, claims, frame, holder_jwk=_bare(holder))

    shown = present(await one_issue(), sample.SHOWN)
    presentation = await key_binding(
        holder, shown, audience=sample.AUDIENCE, nonce=sample.NONCE, now=now
    )

    async def one_verify() -> object:
        token = parse(presentation)
        verified = verify_credential(token, issuer_key, now=now, algs=_ALGS)
        assert verified.holder is not None
        return verify_key_binding(
            token,
            verified.holder,
            audience=sample.AUDIENCE,
            nonce=sample.NONCE,
            now=now,
            algs=_ALGS,
        )

    cases = [
        Case("sd_jwt_issue", repeated(one_issue), signs=1),
        Case("sd_jwt_verify_kb", repeated(one_verify), verifies=2),
    ]
    return cases, SdJwtSample(_bare(signer), _bare(holder), claims, presentation)


def _bare(signer: LocalSigner) -> dict[str, str]:
    return {name: signer.public_jwk[name] for name in ("kty", "crv", "x", "y")}


def status_list_cases(entries: int) -> list[Case]:
    """On a list of that many entries, 1 % revoked."""
    source = random.Random(20260101)
    revoked = source.sample(range(entries), entries * _REVOKED_PER_MILLE // 1000)
    built = StatusList.from_indices(entries, 1, revoked)
    lookups = [source.randrange(entries) for _ in range(10_000)]

    async def build() -> object:
        return StatusList.from_indices(entries, 1, revoked)

    async def compress() -> object:
        return built.compress()

    async def look_up() -> object:
        get = built.get
        return [get(index) for index in lookups]

    return [
        Case("status_list_build", repeated(build)),
        Case("status_list_compress", repeated(compress)),
        Case("status_list_lookup", repeated(look_up, calls=len(lookups))),
    ]
