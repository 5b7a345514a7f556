"""SD-JWT libraries: @sd-jwt (Node.js) and the reference package sd-jwt (Python).

Each issues the claims that ours issues, and verifies the very presentation that ours verifies.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from bench import sample
from bench.library import Case, SdJwtSample, Take, Taken, repeated
from bench.peers import node
from bench.server import piped

NPM, REFERENCE = "@sd-jwt", "sd-jwt"
SCRIPT = "sd_jwt_calls.mjs"
_WARM = 2000


def reference_name() -> str:
    """The reference package with its version."""
    return f"{REFERENCE} {version(REFERENCE)}"


def reference_cases(made: SdJwtSample) -> list[Case]:
    """The reference package's calls."""
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

    return _cases(repeated(one_issue), repeated(one_verify))


@contextmanager
def npm_cases(core: int, made: SdJwtSample) -> Iterator[list[Case]]:
    """The calls of @sd-jwt, in a process of Node.js that measures them as it is told."""
    setup: dict[str, Any] = {
        "issuer_jwk": made.issuer_jwk,
        "holder_jwk": made.holder_jwk,
        "claims": made.claims,
        "hidden": list(sample.HIDDEN),
        "presentation": made.presentation,
        "nonce": sample.NONCE,
    }
    with piped(node.command(SCRIPT), {"BENCH_SETUP": json.dumps(setup)}, core) as ask:

        def told(name: str) -> Take:
            async def take(count: int) -> Taken:
                found = json.loads(ask(f"{name} {count}"))
                return Taken(found["cpu"], found["wall"])

            return take

        for name in ("issue", "verify"):
            ask(f"{name} {_WARM}")
        yield _cases(told("issue"), told("verify"))


def _cases(issue: Take, verify: Take) -> list[Case]:
    return [
        Case("sd_jwt_issue", issue, signs=1),
        Case("sd_jwt_verify_kb", verify, verifies=2),
    ]
