"""Library calls, awaited one after another on the server's core while it is idle."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """CPU of one call in microseconds; percentiles in milliseconds; its P-256 operations."""

    name: str
    cpu_us: float
    p50_ms: float
    p99_ms: float
    verifies: int = 0
    signs: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A call to be repeated; `calls` times each call of it."""

    name: str
    call: Callable[[], Awaitable[object]]
    repeats: int
    verifies: int = 0
    signs: int = 0
    calls: int = 1


async def _measure(case: Case) -> LibraryRow:
    await case.call()
    cpu, wall = [], []  # of each call, microseconds
    for _ in range(case.repeats):
        used, begun = time.thread_time(), time.perf_counter()
        await case.call()
        wall.append((time.perf_counter() - begun) * 1e6 / case.calls)
        cpu.append((time.thread_time() - used) * 1e6 / case.calls)
    return row_of(case.name, cpu, wall, verifies=case.verifies, signs=case.signs)


def row_of(
    name: str, cpu_us: Sequence[float], wall_us: Sequence[float], *, verifies: int, signs: int
) -> LibraryRow:
    """The row of calls whose CPU and time was taken one by one."""
    ordered = sorted(wall_us)
    return LibraryRow(
        name,
        statistics.median(cpu_us),
        statistics.median(ordered) / 1e3,
        ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] / 1e3,
        verifies,
        signs,
    )


@dataclass(frozen=True, slots=True)
class SdJwtSample:
    """What every SD-JWT library issues, and the one presentation that each of them verifies."""

    issuer_jwk: dict[str, str]
    holder_jwk: dict[str, str]
    claims: dict[str, Any]
    presentation: str


async def measure(core: int, *, repeats: int, entries: int) -> tuple[list[LibraryRow], SdJwtSample]:
    """Every library row, and what others do for theirs; `entries` is the status list's size."""
    sd_jwt_cases, made = await _sd_jwt_cases(repeats)
    cases = [*sd_jwt_cases, *_status_list_cases(entries, min(repeats, 5))]
    return await measure_cases(core, cases), made


async def measure_cases(core: int, cases: Sequence[Case]) -> list[LibraryRow]:
    """Repeat each call on that core."""
    with pinned(core):
        rows = []
        for case in cases:
            rows.append(await _measure(case))
            await asyncio.sleep(0)
    return rows


async def _sd_jwt_cases(repeats: int) -> tuple[list[Case], SdJwtSample]:
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
        Case("sd_jwt_issue", one_issue, repeats, signs=1),
        Case("sd_jwt_verify_kb", one_verify, repeats, verifies=2),
    ]
    return cases, SdJwtSample(_bare(signer), _bare(holder), claims, presentation)


def _bare(signer: LocalSigner) -> dict[str, str]:
    return {name: signer.public_jwk[name] for name in ("kty", "crv", "x", "y")}


def _status_list_cases(entries: int, repeats: int) -> list[Case]:
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
        Case("status_list_build", build, repeats),
        Case("status_list_compress", compress, repeats),
        Case("status_list_lookup", look_up, repeats, calls=len(lookups)),
    ]
