"""Library calls, awaited one after another on the server's core while it is idle."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

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

DISCLOSURES = 10
_CLAIMS: dict[str, Any] = {
    f"claim_{number}": f"value {number} of the company record" for number in range(DISCLOSURES)
}
_SHOWN = ("claim_0", "claim_4", "claim_9")
_AUDIENCE, _NONCE = "x509_san_dns:bank.example", "n-0S6_WzA2Mj"
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
class _Case:
    """A call to be repeated; `calls` times each call of it."""

    name: str
    call: Callable[[], Awaitable[object]]
    repeats: int
    verifies: int = 0
    signs: int = 0
    calls: int = 1


async def _measure(case: _Case) -> LibraryRow:
    await case.call()
    cpu, wall = [], []
    for _ in range(case.repeats):
        used, begun = time.thread_time(), time.perf_counter()
        await case.call()
        wall.append((time.perf_counter() - begun) * 1e3 / case.calls)
        cpu.append((time.thread_time() - used) * 1e6 / case.calls)
    wall.sort()
    return LibraryRow(
        case.name,
        statistics.median(cpu),
        statistics.median(wall),
        wall[min(len(wall) - 1, int(len(wall) * 0.99))],
        case.verifies,
        case.signs,
    )


async def measure(core: int, *, repeats: int, entries: int) -> list[LibraryRow]:
    """Every library row; `entries` is the size of the status list."""
    cases = [*await _sd_jwt_cases(repeats), *_status_list_cases(entries, min(repeats, 5))]
    with pinned(core):
        rows = []
        for case in cases:
            rows.append(await _measure(case))
            await asyncio.sleep(0)
    return rows


async def _sd_jwt_cases(repeats: int) -> list[_Case]:
    signer, holder = generate("ES256"), generate("ES256")
    issuer_key = parse_public(signer.public_jwk)
    frame = Disclosable(_CLAIMS)
    now = time.time()
    claims = _credential_claims(now)

    async def one_issue() -> str:
        return await issue(signer, claims, frame, holder_jwk=_holder_jwk(holder))

    shown = present(await one_issue(), _SHOWN)
    presentation = await key_binding(holder, shown, audience=_AUDIENCE, nonce=_NONCE, now=now)

    async def one_verify() -> object:
        token = parse(presentation)
        verified = verify_credential(token, issuer_key, now=now, algs=_ALGS)
        assert verified.holder is not None
        return verify_key_binding(
            token, verified.holder, audience=_AUDIENCE, nonce=_NONCE, now=now, algs=_ALGS
        )

    return [
        _Case("sd_jwt_issue", one_issue, repeats, signs=1),
        _Case("sd_jwt_verify_kb", one_verify, repeats, verifies=2),
    ]


def _credential_claims(now: float) -> dict[str, Any]:
    return {
        "iss": "https://id.example",
        "iat": int(now),
        "exp": int(now) + 86400,
        "vct": "https://id.example/vct/company-identity/1",
        "status": {"status_list": {"idx": 42, "uri": "https://id.example/status/1"}},
        **_CLAIMS,
    }


def _holder_jwk(holder: LocalSigner) -> dict[str, str]:
    return {name: holder.public_jwk[name] for name in ("kty", "crv", "x", "y")}


def _status_list_cases(entries: int, repeats: int) -> list[_Case]:
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
        _Case("status_list_build", build, repeats),
        _Case("status_list_compress", compress, repeats),
        _Case("status_list_lookup", look_up, repeats, calls=len(lookups)),
    ]
