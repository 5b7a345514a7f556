"""Request objects as an honest client makes them, and as it must not."""

from collections.abc import Mapping
from typing import Any

from keys import base64url, json_object, jws
from keys.signer import LocalSigner
from tests.support.provider_world import World, key, without_none


async def request_object(
    world: World,
    client_id: str,
    parameters: Mapping[str, Any],
    /,
    *,
    signer: LocalSigner | None = None,
    typ: str | None = "oauth-authz-req+jwt",
    **changes: Any,
) -> str:
    """A request object as FAPI 2.0 Message Signing 5.3.2 asks; None takes a claim out."""
    now = int(world.now)
    claims = {
        "iss": client_id,
        "client_id": client_id,
        "aud": world.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    }
    whole = without_none({**claims, **parameters, **changes})
    return await jws.sign(signer or key(client_id), whole, typ=typ)


def unsigned(claims: dict[str, Any]) -> str:
    """The same with ``alg`` none."""
    parts = ({"alg": "none", "typ": "oauth-authz-req+jwt"}, claims)
    return ".".join(base64url.encode(json_object.dumps(part)) for part in parts) + "."
