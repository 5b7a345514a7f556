"""An authorization server behind a proxy that hands over client certificates."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from cryptography import x509

from keys.jwk import JwkSet, public_members
from oidc.mutual_tls import Form, MutualTls
from oidc.provider.endpoints import USERINFO
from oidc.records import Client
from oidc.response import Endpoint
from tests.support.asgi import Answer, call, post_form
from tests.support.certificates import Authority, rfc9440, self_signed, x5c
from tests.support.provider_world import API, NOW, World, client

PROXY, OUTSIDER = "10.0.0.5", "198.51.100.7"
HEADER = b"client-cert"
ORIGIN = "https://mtls.id.example.hk"
AUTHORITY = Authority(NOW)
MACHINE = {"grant_type": "client_credentials", "resource": API}


def mutual_tls(form: Form = "rfc9440", **changes: Any) -> MutualTls:
    given: dict[str, Any] = {"authorities": [AUTHORITY.certificate], "origin": ORIGIN}
    return MutualTls(
        "Client-Cert",
        form,
        [ip_network("10.0.0.0/30"), ip_network("10.0.0.4/30"), ip_network("fd00::/64")],
        **{**given, **changes},
    )


class MtlsWorld(World):
    """Two clients with certificates: ``issued`` by the authority and ``own``, self-signed."""

    def __init__(self, mtls: MutualTls | None = None) -> None:
        super().__init__(mutual_tls=mutual_tls() if mtls is None else mtls)
        self.issued = AUTHORITY.issue(x509.DNSName("tls.bank.example"))
        self.own = self_signed(NOW)
        members = public_members(self.own.public_key())  # type: ignore[arg-type]
        jwks = {"keys": [x5c(self.own, members)]}
        self.add(
            client(
                "tls-bank",
                profile="fapi2",
                jwks=None,
                token_endpoint_auth_method="tls_client_auth",
                tls_client_auth=("tls_client_auth_san_dns", "tls.bank.example"),
                tls_client_certificate_bound_access_tokens=True,
            ),
            client(
                "own-bank",
                profile="fapi2",
                jwks=JwkSet.parse(jwks),
                token_endpoint_auth_method="self_signed_tls_client_auth",
                tls_client_certificate_bound_access_tokens=True,
            ),
        )

    def add(self, *made: Client) -> None:
        for one in made:
            self.tables.clients[one.client_id] = one

    def expecting(self, name: str, value: str) -> None:
        """Register the bank by another member."""
        self.change_client("tls-bank", tls_client_auth=(name, value))

    async def post(
        self,
        endpoint: Endpoint,
        form: Mapping[str, str],
        certificate: x509.Certificate | None,
        *headers: tuple[bytes, bytes],
        peer: str = PROXY,
    ) -> Answer:
        """What the proxy passes on of a request that came with this certificate."""
        passed = [] if certificate is None else [(HEADER, rfc9440(certificate))]
        return await post_form(endpoint, form, headers=[*passed, *headers], peer=peer)

    async def machine(
        self,
        client_id: str,
        certificate: x509.Certificate | None,
        *headers: tuple[bytes, bytes],
        peer: str = PROXY,
    ) -> Answer:
        form = {**MACHINE, "client_id": client_id}
        return await self.post(self.token_endpoint, form, certificate, *headers, peer=peer)

    async def userinfo_with(
        self,
        token: str,
        certificate: x509.Certificate | None,
        *headers: tuple[bytes, bytes],
        scheme: bytes = b"Bearer",
        peer: str = PROXY,
    ) -> Answer:
        sent = [(b"authorization", scheme + b" " + token.encode()), *headers]
        if certificate is not None:
            sent.append((HEADER, rfc9440(certificate)))
        return await call(self.userinfo_endpoint, path=USERINFO, headers=sent, peer=peer)
