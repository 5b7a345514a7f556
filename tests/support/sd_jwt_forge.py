"""Making SD-JWTs by hand, so that tests can break any rule that the issuing code keeps."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
import pytest

from keys import jws
from keys.base64url import encode
from keys.jwk import JwkSet
from keys.signer import Signer
from oidc.formats import sd_jwt

ES256 = frozenset({"ES256"})
NOW = 1_800_000_000
VC = {"vct": "https://id.example/vct/sample", "iss": "https://id.example"}


def disclosure(*parts: Any) -> tuple[str, str]:
    """The text of a disclosure of these parts, and its digest."""
    text = encode(orjson.dumps(list(parts)))
    return text, digest(text)


def digest(text: str) -> str:
    """The base64url SHA-256 of a text."""
    return encode(sha256(text.encode()).digest())


async def forge(
    signer: Signer,
    payload: Mapping[str, Any],
    disclosures: Sequence[str] = (),
    *,
    typ: str | None = "dc+sd-jwt",
    header: Mapping[str, Any] | None = None,
) -> str:
    """A correctly signed SD-JWT with whatever payload and disclosures."""
    signed = await jws.sign(signer, payload, typ=typ, header=header)
    return "~".join((signed, *disclosures, ""))


def public(signer: Signer) -> dict[str, str]:
    """The bare public JWK, as in cnf."""
    names = ("kty", "crv", "x", "y")
    return {name: signer.public_jwk[name] for name in names if name in signer.public_jwk}


def check(text: str, keys: JwkSet, **changes: Any) -> dict[str, Any]:
    """The claims of a credential, verified at NOW."""
    arguments: dict[str, Any] = {"now": NOW, "algs": ES256, **changes}
    return sd_jwt.verify_credential(sd_jwt.parse(text), keys, **arguments).claims


async def rejects(
    issuer: Signer,
    keys: JwkSet,
    error: type[Exception],
    payload: dict[str, Any],
    *texts: str,
    **forging: Any,
) -> None:
    """A credential with this payload is refused with exactly this error."""
    text = await forge(issuer, {**VC, **payload}, texts, **forging)
    with pytest.raises(error) as caught:
        check(text, keys)
    assert type(caught.value) is error
