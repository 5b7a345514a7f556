"""Signed credential issuer metadata (OpenID4VCI 1.0, 12.2.2 and 12.2.3)."""

from dataclasses import replace

import orjson
import pytest

from keys import base64url, jws
from keys.jwk import JwkSet
from keys.signer import LocalSigner, generate
from oidc.issuer.metadata import MetadataEndpoint
from oidc.issuer.signed_metadata import LIFETIME_SECONDS, TYP, prefers_jwt
from tests.support.asgi import Answer, call
from tests.support.issuer_world import ISSUER, World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
JWT = [(b"accept", b"application/jwt")]


def header_of(answer: Answer) -> dict[str, object]:
    found: dict[str, object] = orjson.loads(base64url.decode(answer.body.decode().split(".")[0]))
    return found


async def test_12_2_3_the_signed_form_says_what_the_unsigned_one_says(world: World) -> None:
    endpoint = MetadataEndpoint(world.issuer)
    plain, answer = await call(endpoint), await call(endpoint, headers=JWT)
    assert answer.header("content-type") == "application/jwt"
    assert answer.header("vary") == "Accept, Accept-Language"
    keys = JwkSet.parse(world.keys.jwks())
    token = jws.parse(answer.body.decode(), max_bytes=1 << 20)
    verified = jws.verify(token, keys, algs=frozenset({"ES256"}), typ=TYP)
    payload = orjson.loads(verified.payload)
    now = int(world.now)
    added = {"iss": ISSUER, "sub": ISSUER, "iat": now, "exp": now + LIFETIME_SECONDS}
    assert payload == {**plain.json, **added}


async def test_12_2_3_the_header_is_explicitly_typed(world: World) -> None:
    header = header_of(await call(MetadataEndpoint(world.issuer), headers=JWT))
    assert header["typ"] == "openidvci-issuer-metadata+jwt"
    assert header["alg"] == "ES256"
    assert header["kid"] in {key.kid for key in world.keys.public(("metadata",)).keys}
    assert "x5c" not in header, "where there is no certificate"


async def test_a_certificate_goes_out_as_soon_as_there_is_one(world: World) -> None:
    key = generate("ES256")

    class Keys:
        x5c: tuple[str, ...] = ()

        def encryption_jwks(self) -> dict[str, list[object]]:
            return {"keys": []}

        def signer(self, purpose: str, alg: str) -> LocalSigner:
            assert purpose == "metadata"
            return LocalSigner.from_jwk({**key.private_jwk(), "x5c": list(self.x5c)})

    keys = Keys()
    endpoint = MetadataEndpoint(replace(world.issuer, keys=keys))  # type: ignore[arg-type]
    assert "x5c" not in header_of(await call(endpoint, headers=JWT))
    keys.x5c = ("bGVhZg==",)
    assert header_of(await call(endpoint, headers=JWT))["x5c"] == ["bGVhZg=="]


async def test_nobody_can_order_signatures_without_end(world: World) -> None:
    endpoint = MetadataEndpoint(world.issuer)
    first = await call(endpoint, headers=JWT)
    assert (await call(endpoint, headers=JWT)).body == first.body
    again = [*JWT, (b"if-none-match", str(first.header("etag")).encode())]
    assert (await call(endpoint, headers=again)).status == 304
    world.now += 3600
    later = await call(endpoint, headers=JWT)
    assert later.body != first.body


async def test_12_2_2_the_signed_form_is_in_the_language_that_is_asked_for(world: World) -> None:
    headers = [*JWT, (b"accept-language", b"zh-HK")]
    answer = await call(MetadataEndpoint(world.issuer), headers=headers)
    payload = orjson.loads(base64url.decode(answer.body.decode().split(".")[1]))
    assert answer.header("content-language") == "zh-Hant"
    assert [one["locale"] for one in payload["display"]] == ["zh-Hant"]


@pytest.mark.parametrize(
    ("accept", "signed"),
    [
        ("application/jwt", True),
        ("Application/JWT", True),
        ("application/jwt, application/json", True),
        ("application/json, application/jwt", False),
        ("application/json;q=0.5, application/jwt", True),
        ("application/jwt;q=0.4, application/json;q=0.5", False),
        ("application/jwt;q=0", False),
        ("application/jwt;q=0.9, */*;q=0.1", True),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("application/jwtx, ;q=1, q=, application/jwt;q=9", True),
    ],
)
async def test_12_2_2_the_unsigned_form_is_always_there(
    world: World, accept: str, signed: bool
) -> None:
    assert prefers_jwt([accept.encode()]) is signed
    answer = await call(MetadataEndpoint(world.issuer), headers=[(b"accept", accept.encode())])
    expected = "application/jwt" if signed else "application/json"
    assert (answer.status, answer.header("content-type")) == (200, expected)
