"""SD-JWT libraries: @sd-jwt (Node.js) and the reference package sd-jwt (Python).

Each issues the claims that ours issues, and verifies the very presentation that ours verifies.
"""

import json
import os
import subprocess
from importlib.metadata import version
from typing import Any

from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from bench import sample
from bench.library import Case, LibraryRow, SdJwtSample, measure_cases, row_of
from bench.machine import pinned
from bench.peers import node

NPM, REFERENCE = "@sd-jwt", "sd-jwt"
SCRIPT = "sd_jwt_calls.mjs"
_COST = {"sd_jwt_issue": (0, 1), "sd_jwt_verify_kb": (2, 0)}
_SECONDS = 120


def reference_name() -> str:
    """The reference package with its version."""
    return f"{REFERENCE} {version(REFERENCE)}"


async def measure_reference(core: int, made: SdJwtSample, repeats: int) -> list[LibraryRow]:
    """The reference package's rows."""
    signing, holder = JWK.generate(kty="EC", crv="P-256"), JWK(**made.holder_jwk)
    issuer_key = JWK(**made.issuer_jwk)
    claims = {
        SDObj(name) if name in sample.HIDDEN else name: value for name, value in made.claims.items()
    }
    header = {"typ": "dc+sd-jwt"}

    async def one_issue() -> str:
        issued = SDJWTIssuer(claims, signing, holder, "ES256", extra_header_parameters=header)
        text: str = issued.sd_jwt_issuance
        return text

    async def one_verify() -> object:
        found = SDJWTVerifier(
            made.presentation, lambda _issuer, _header: issuer_key, sample.AUDIENCE, sample.NONCE
        )
        return found.get_verified_payload()

    calls = {"sd_jwt_issue": one_issue, "sd_jwt_verify_kb": one_verify}
    cases = [Case(name, call, repeats, *_COST[name]) for name, call in calls.items()]
    return await measure_cases(core, cases)


def measure_npm(core: int, made: SdJwtSample, repeats: int) -> list[LibraryRow]:
    """The rows of @sd-jwt, which a process of Node.js measures; nothing else runs meanwhile."""
    setup: dict[str, Any] = {
        "repeats": repeats,
        "issuer_jwk": made.issuer_jwk,
        "holder_jwk": made.holder_jwk,
        "claims": made.claims,
        "hidden": list(sample.HIDDEN),
        "presentation": made.presentation,
        "nonce": sample.NONCE,
    }
    with pinned(core):
        done = subprocess.run(
            node.command(SCRIPT),
            env={**os.environ, "BENCH_SETUP": json.dumps(setup)},
            check=True,
            capture_output=True,
            timeout=_SECONDS,
        )
    return [
        row_of(name, taken["cpu"], taken["wall"], verifies=_COST[name][0], signs=_COST[name][1])
        for name, taken in json.loads(done.stdout).items()
    ]
