"""A FAPI 2.0 client for tests: private_key_jwt, DPoP with nonce retry, PAR, PKCE, tokens, userinfo.

It signs by itself, with `cryptography` alone, so that it agrees with the service by the standards
and not by shared code. The issuer's URLs go into what is signed; the address that is connected to
is another matter, so that several processes of one issuer can be asked one by one.
"""

import base64
import hashlib
import itertools
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.support.fapi_client_http import Answer, Http

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CODE = re.compile(r"[?&]code=([^&]+)")
_RUN = os.urandom(8).hex()
_serial = itertools.count()


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unique() -> str:
    """A value that was never used before, in this run or another."""
    return f"{_RUN}{next(_serial):012x}"


class Key:
    """A P-256 key that signs compact JWTs."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        point = self._private.public_key().public_numbers()
        self.public = {
            "crv": "P-256",
            "kty": "EC",
            "x": b64(point.x.to_bytes(32, "big")),
            "y": b64(point.y.to_bytes(32, "big")),
        }
        self.thumbprint = b64(hashlib.sha256(orjson.dumps(self.public)).digest())

    @property
    def jwks(self) -> dict[str, Any]:
        """The public part as a JWK Set, for registration."""
        return {"keys": [{**self.public, "kid": self.thumbprint, "alg": "ES256", "use": "sig"}]}

    def sign(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """A compact JWS with ES256."""
        parts = (orjson.dumps({"alg": "ES256", **header}), orjson.dumps(claims))
        signed = ".".join(b64(part) for part in parts)
        r, s = decode_dss_signature(self._private.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def dpop(
        self, method: str, url: str, *, token: str | None = None, nonce: str | None = None
    ) -> str:
        """A DPoP proof (RFC 9449 4.2)."""
        claims: dict[str, Any] = {
            "jti": unique(),
            "htm": method,
            "htu": url,
            "iat": int(time.time()),
        }
        if token is not None:
            claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
        if nonce is not None:
            claims["nonce"] = nonce
        return self.sign({"typ": "dpop+jwt", "jwk": self.public}, claims)


@dataclass(frozen=True, slots=True)
class Sent:
    """A token request as it was sent, so that a test can send parts of it again."""

    fields: Mapping[str, str]
    assertion: str | None
    proof: str | None
    answer: Answer


@dataclass(slots=True)
class FapiClient:
    """One client of one issuer. ``path`` is the issuer's path, "" for a root issuer."""

    issuer: str
    client_id: str
    redirect_uri: str = ""
    scope: str = ""
    path: str = ""
    key: Key = field(default_factory=Key)
    dpop_key: Key = field(default_factory=Key)
    signs_requests: bool = False

    def assertion(self, audience: str | None = None) -> str:
        """A client assertion for five minutes (RFC 7523)."""
        now = int(time.time())
        who = {"iss": self.client_id, "sub": self.client_id, "aud": audience or self.issuer}
        claims = {**who, "jti": unique(), "iat": now, "exp": now + 300}
        return self.key.sign({"kid": self.key.thumbprint}, claims)

    def authentication(self, assertion: str | None = None) -> dict[str, str]:
        """The form fields of private_key_jwt."""
        return {
            "client_id": self.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
        }

    def proof(self, method: str, endpoint: str, **more: str | None) -> str:
        """A DPoP proof for one of the issuer's endpoints."""
        return self.dpop_key.dpop(method, self.issuer + endpoint, **more)

    async def send_token_request(
        self,
        http: Http,
        fields: Mapping[str, str],
        *,
        assertion: str | None = None,
        proof: str | None = None,
        bound: bool = True,
    ) -> Sent:
        """A token request; a demand for a DPoP nonce is met once, with the same assertion."""
        authentication = self.authentication(assertion)
        whole = {**fields, **authentication}
        if proof is None and bound:
            proof = self.proof("POST", "/token")
        answer = await self._post_token(http, whole, proof)
        if answer.error == "use_dpop_nonce":
            proof = self.proof("POST", "/token", nonce=answer.headers["dpop-nonce"])
            answer = await self._post_token(http, whole, proof)
        return Sent(fields, authentication["client_assertion"], proof, answer)

    async def _post_token(self, http: Http, fields: Mapping[str, str], proof: str | None) -> Answer:
        return await http.form(self.path + "/token", fields, {"DPoP": proof} if proof else {})

    async def token(
        self, http: Http, fields: Mapping[str, str], *, bound: bool = True
    ) -> dict[str, Any]:
        """The response to a token request that must succeed."""
        sent = await self.send_token_request(http, fields, bound=bound)
        found: dict[str, Any] = sent.answer.expect(200).json
        return found

    async def push(self, http: Http, verifier: str, **more: str) -> str:
        """A pushed authorization request; its request_uri."""
        wanted = {
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": unique(),
            "nonce": unique(),
            "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **more,
        }
        if self.signs_requests:
            wanted = {"request": self.request_object(wanted)}
        answer = await http.form(self.path + "/par", {**wanted, **self.authentication()})
        uri: str = answer.expect(201).json["request_uri"]
        return uri

    def request_object(self, parameters: Mapping[str, Any], **changes: Any) -> str:
        """A signed request object (FAPI 2.0 Message Signing 5.3.2); None takes a claim out."""
        now = int(time.time())
        who = {"iss": self.client_id, "client_id": self.client_id, "aud": self.issuer}
        claims = {**who, "nbf": now, "exp": now + 300, **parameters, **changes}
        known = {name: value for name, value in claims.items() if value is not None}
        return self.key.sign({"typ": "oauth-authz-req+jwt", "kid": self.key.thumbprint}, known)

    async def code(self, http: Http, cookie: str, verifier: str, **more: str) -> str:
        """A fresh code, by a browser (its Cookie header) whose consent is remembered."""
        request_uri = await self.push(http, verifier, **more)
        query = urlencode({"client_id": self.client_id, "request_uri": request_uri})
        answer = await http.get(f"{self.path}/authorize?{query}", {"Cookie": cookie})
        location = answer.expect(303).headers["location"]
        found = _CODE.search(location)
        assert found is not None, f"no code but {location}"
        return found[1]

    def redemption(self, code: str, verifier: str) -> dict[str, str]:
        """The form fields that redeem a code."""
        return {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }

    async def userinfo(self, http: Http, token: str) -> Answer:
        """GET /userinfo with a DPoP-bound token."""
        proof = self.proof("GET", "/userinfo", token=token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        return await http.get(self.path + "/userinfo", headers)

    async def introspect(self, http: Http, token: str) -> dict[str, Any]:
        """What this client is told of a token (RFC 7662)."""
        answer = await http.form(
            self.path + "/introspect", {"token": token, **self.authentication()}
        )
        found: dict[str, Any] = answer.expect(200).json
        return found


def new_verifier() -> str:
    """A PKCE verifier."""
    return b64(os.urandom(32))


async def introspect_with_secret(
    http: Http, client_id: str, secret: str, token: str, path: str = ""
) -> dict[str, Any]:
    """What a resource server with client_secret_basic is told of a token."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    answer = await http.form(path + "/introspect", {"token": token}, headers)
    found: dict[str, Any] = answer.expect(200).json
    return found
