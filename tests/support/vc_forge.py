"""W3C credentials in a JWT, made by hand, so that tests can break any rule."""

from collections.abc import Mapping
from typing import Any

import pytest

from keys import jws
from keys.jwk import JwkSet
from keys.signer import Signer
from oidc.formats import vc_jwt

ES256 = frozenset({"ES256"})
NOW = 1_800_000_000
ISSUER = "https://id.example"
VC: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential", "SampleCredential"],
    "issuer": ISSUER,
    "credentialSubject": {"legal_person_name": "Sample Kite Trading Limited"},
}


async def forge(
    signer: Signer,
    changes: Mapping[str, Any],
    *,
    typ: str | None = "vc+jwt",
    header: Mapping[str, Any] | None = None,
) -> str:
    """A correctly signed credential with these properties instead; None takes one away."""
    claims = {name: one for name, one in {**VC, **changes}.items() if one is not None}
    return await jws.sign(signer, claims, typ=typ, header=header)


def check(text: str, keys: JwkSet, **changes: Any) -> vc_jwt.VerifiedVcJwt:
    """The verdict at NOW."""
    arguments: dict[str, Any] = {"now": NOW, "algs": ES256, **changes}
    return vc_jwt.verify(vc_jwt.parse(text), keys, **arguments)


async def rejects(
    signer: Signer,
    keys: JwkSet,
    error: type[Exception],
    changes: Mapping[str, Any],
    **forging: Any,
) -> Exception:
    """It is refused with exactly this error, which is returned."""
    text = await forge(signer, changes, **forging)
    with pytest.raises(error) as caught:
        check(text, keys)
    assert type(caught.value) is error
    return caught.value
