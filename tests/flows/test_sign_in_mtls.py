"""`fapi2` relying parties with TLS certificates, end to end behind the proxy's header."""

import hashlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from corpid.relying_party import RelyingParty, errors
from corpid.services.client_tls import jwks_of
from oidc.client_certificate import thumbprint_of
from tests.support.certificates import Authority, der, pem, rfc9440, self_signed
from tests.support.fapi_client import b64, new_verifier, unique
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import CALLBACK, SCOPES, Cast
from tests.support.live_service import Live
from tests.support.live_visitor import Visitor
from tests.support.service_process import RESOURCE

NOW = time.time()
AUTHORITY = Authority(NOW)


class Proxied(Http):
    """Requests as the proxy passes them on, of connections with a certificate or without."""

    certificate: x509.Certificate | None = None

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        passed = dict(headers)
        if self.certificate is not None:
            passed["Client-Cert"] = rfc9440(self.certificate).decode("ascii")
        return await super().request(method, path, passed, body)


@pytest.fixture
async def proxied(live: Live, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Proxied]:
    """Connections through the proxy: the peer 127.0.0.1 is one of the settings' proxies."""
    connections = Proxied(_behind(live, tmp_path_factory, "proxied", "127.0.0.1"))
    yield connections
    await connections.close()


@pytest.fixture
async def outside(live: Live, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Proxied]:
    """Connections past the proxy: nobody's word counts but that of 192.0.2.1."""
    connections = Proxied(_behind(live, tmp_path_factory, "outside", "192.0.2.1"))
    yield connections
    await connections.close()


def _behind(live: Live, folders: pytest.TempPathFactory, name: str, proxy: str) -> int:
    file: Path = folders.mktemp("authorities") / "clients.pem"
    file.write_text(AUTHORITY.pem)
    return live.another(
        name,
        proxies=(proxy,),
        client_certificate_header="Client-Cert",
        client_certificate_authorities=file,
        mtls_origin="https://mtls.example",
    )


@dataclass
class TlsClient:
    """A relying party that has a certificate and nothing else."""

    live: Live
    http: Proxied
    client_id: str
    certificate: x509.Certificate
    verifier: str = field(default_factory=new_verifier)

    async def post(
        self, path: str, fields: Mapping[str, str], http: Proxied | None = None
    ) -> Answer:
        via = http or self.http
        via.certificate = self.certificate
        return await via.form(self.live.path + path, {**fields, "client_id": self.client_id})

    async def push(self, http: Proxied | None = None, **more: str) -> Answer:
        wanted = {
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": " ".join(SCOPES),
            "state": unique(),
            "nonce": unique(),
            "code_challenge": b64(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **more,
        }
        return await self.post("/par", wanted, http)

    async def signed_in(self, cast: Cast, visitor: Visitor, **more: str) -> dict[str, Any]:
        _, human = await cast.acting()
        request_uri = (await self.push(**more)).expect(201).json["request_uri"]
        visitor.authorize(client_id=self.client_id, request_uri=request_uri)
        answer = visitor.through(human)
        fields = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        }
        found: dict[str, Any] = (await self.post("/token", fields)).expect(200).json
        return found

    async def userinfo(self, token: str, certificate: x509.Certificate | None) -> Answer:
        self.http.certificate = certificate
        bearer = {"Authorization": f"Bearer {token}"}
        return await self.http.get(f"{self.live.path}/userinfo", bearer)


@pytest.fixture(params=["tls_client_auth", "self_signed_tls_client_auth"])
async def client(
    request: pytest.FixtureRequest, live: Live, proxied: Proxied, cast: Cast
) -> TlsClient:
    if request.param == "tls_client_auth":
        host = f"{unique()}.bank.example"
        certificate = AUTHORITY.issue(x509.DNSName(host))
        client_id = await cast.tls_client(request.param, tls_client_auth_san_dns=host)
    else:
        certificate = self_signed(NOW)
        jwks = jwks_of(pem(certificate).encode())
        client_id = await cast.tls_client(request.param, jwks=jwks)
    return TlsClient(live, proxied, client_id, certificate)


async def test_the_whole_way_of_a_fapi2_client_with_a_certificate(
    client: TlsClient, live: Live, cast: Cast, visitor: Visitor
) -> None:
    tokens = await client.signed_in(cast, visitor)
    assert tokens["token_type"] == "Bearer"
    token = tokens["access_token"]
    (await client.userinfo(token, client.certificate)).expect(200)
    for other in (None, self_signed(NOW)):
        refused = (await client.userinfo(token, other)).expect(401)
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]

    cnf = {"x5t#S256": thumbprint_of(der(client.certificate))}
    told = (await client.post("/introspect", {"token": token})).expect(200).json
    assert (told["active"], told["cnf"]) == (True, cnf)

    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    fresh = (await client.post("/token", fields)).expect(200).json
    assert "refresh_token" not in fresh, "FAPI 2.0, 5.3.2.1: no rotation"
    (await client.userinfo(fresh["access_token"], client.certificate)).expect(200)


async def test_an_api_verifies_the_binding_by_itself(
    client: TlsClient, live: Live, cast: Cast, visitor: Visitor
) -> None:
    token = (await client.signed_in(cast, visitor, resource=RESOURCE))["access_token"]
    api = RelyingParty(live.issuer, audience=RESOURCE)
    for certificate in (der(client.certificate), pem(client.certificate)):
        call = await api.verify_access_token(token, certificate=certificate, require_binding=True)
        assert call.certificate_thumbprint == thumbprint_of(der(client.certificate))
    with pytest.raises(errors.CertificateMissing):
        await api.verify_access_token(token)
    with pytest.raises(errors.CertificateMismatch):
        await api.verify_access_token(token, certificate=der(self_signed(NOW)))


async def test_the_header_of_an_outsider_is_refused_everywhere(
    client: TlsClient, outside: Proxied, cast: Cast, visitor: Visitor
) -> None:
    tokens = await client.signed_in(cast, visitor)
    assert (await client.push(outside)).expect(401).error == "invalid_client"
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for path in ("/token", "/introspect", "/revoke"):
        answer = await client.post(path, {**fields, "token": tokens["access_token"]}, outside)
        assert answer.expect(401).error == "invalid_client"
    outside.certificate = client.certificate
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await outside.get(f"{client.live.path}/userinfo", bearer)
    assert answer.expect(401).error == "invalid_token"
    # Where no proxy is set up at all, the token is worth as little.
    plain = Http(client.live.port)
    answer = await plain.get(f"{client.live.path}/userinfo", bearer)
    await plain.close()
    assert answer.expect(401).error == "invalid_token"


async def test_rfc8705_5_discovery_names_the_aliases(live: Live, proxied: Proxied) -> None:
    where = f"{live.path}/.well-known/openid-configuration"
    document = (await proxied.get(where)).expect(200).json
    assert document["tls_client_certificate_bound_access_tokens"] is True
    aliases = document["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == f"https://mtls.example{live.path}/token"
    assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(
        document["token_endpoint_auth_methods_supported"]
    )
