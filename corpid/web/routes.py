"""The hot endpoints and where they are: one table.

The table needs no running service, so the OpenAPI document is held to it by a check.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from corpid.services.status_publisher import TTL as STATUS_TTL
from corpid.settings import Settings
from corpid.web.edge import HotRoute, appended, inserted
from corpid.wiring.service import Service
from oidc.issuer.certificates_endpoint import CertificatesEndpoint
from oidc.issuer.credential import CredentialEndpoint
from oidc.issuer.deferred import DeferredCredentialEndpoint
from oidc.issuer.jwt_vc_issuer import JwtVcIssuerEndpoint
from oidc.issuer.metadata import MetadataEndpoint
from oidc.issuer.nonce import NonceEndpoint
from oidc.issuer.notification import NotificationEndpoint
from oidc.issuer.offers import OfferEndpoint
from oidc.issuer.status_endpoint import StatusAggregationEndpoint, StatusListEndpoint
from oidc.issuer.type_metadata import TypeMetadataEndpoint
from oidc.logout_ports import Logouts
from oidc.provider import endpoints
from oidc.provider.authorize import AuthorizeEndpoint
from oidc.provider.backchannel_authentication import BackchannelAuthenticationEndpoint
from oidc.provider.challenge import ChallengeEndpoint
from oidc.provider.device_authorization import DeviceAuthorizationEndpoint
from oidc.provider.end_session import EndSessionEndpoint
from oidc.provider.grant_management import GrantManagementEndpoint
from oidc.provider.introspection import IntrospectionEndpoint
from oidc.provider.jwks import JwksEndpoint
from oidc.provider.metadata import ProviderMetadataEndpoint
from oidc.provider.par import PushedAuthorizationEndpoint
from oidc.provider.protected_resources import ResourceMetadataEndpoint, metadata_path
from oidc.provider.registration import ClientConfigurationEndpoint, RegistrationEndpoint
from oidc.provider.revocation import RevocationEndpoint
from oidc.provider.token import TokenEndpoint
from oidc.provider.userinfo import UserInfoEndpoint
from oidc.response import Endpoint

Place = Literal["issuer", "inserted", "vct", "status", "resource"]


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """One hot route. ``path`` is completed by ``place``; ``tail`` is what follows a prefix.

    ``cors`` is false where a cookie counts: no CORS at the authorization endpoint (RFC 9700 2.6);
    and where only servers ask: what they hear is for no page's script.
    """

    name: str
    place: Place
    path: str
    methods: tuple[str, ...]
    summary: str
    cors: bool = True
    tail: str = ""

    def shown(self) -> str:
        """The path in the OpenAPI document: under an issuer without a path."""
        plain = Settings(issuer="https://id.example", status_base=None, vct_base=None)
        return self.at(plain) + self.tail

    def at(self, settings: Settings) -> str:
        """The path on the host; a prefix when it ends in a slash."""
        match self.place:
            case "issuer":
                return appended(settings.issuer, self.path)
            case "inserted":
                return inserted(settings.issuer, self.path)
            case "vct":
                return appended(settings.vct_url, self.path)
            case "status":
                return appended(settings.status_url, self.path)
            case "resource":
                return metadata_path_of(settings, self.path)


def metadata_path_of(settings: Settings, path: str) -> str:
    """Where the protected-resource metadata of one of our endpoints is (RFC 9728 3.1)."""
    return inserted(settings.issuer, "oauth-protected-resource") + path


TABLE: Final = (
    RouteSpec(
        "configuration",
        "issuer",
        "/.well-known/openid-configuration",
        ("GET",),
        "OpenID Provider metadata (Discovery 4)",
    ),
    RouteSpec(
        "server",
        "inserted",
        "oauth-authorization-server",
        ("GET",),
        "Authorization server metadata (RFC 8414)",
    ),
    RouteSpec("jwks", "issuer", endpoints.JWKS, ("GET",), "Keys that tokens verify with"),
    RouteSpec(
        "authorize",
        "issuer",
        endpoints.AUTHORIZE,
        ("GET", "POST"),
        "Authorization endpoint (RFC 6749 3.1)",
        cors=False,
    ),
    RouteSpec(
        "par",
        "issuer",
        endpoints.PUSHED_AUTHORIZATION,
        ("POST",),
        "Pushed authorization requests (RFC 9126)",
    ),
    RouteSpec(
        "backchannel_authentication",
        "issuer",
        endpoints.BACKCHANNEL_AUTHENTICATION,
        ("POST",),
        "Backchannel authentication (CIBA Core 1.0, 7)",
        cors=False,
    ),
    RouteSpec(
        "device_authorization",
        "issuer",
        endpoints.DEVICE_AUTHORIZATION,
        ("POST",),
        "Device authorization (RFC 8628 3.1)",
    ),
    RouteSpec("token", "issuer", endpoints.TOKEN, ("POST",), "Token endpoint (RFC 6749 3.2)"),
    RouteSpec(
        "userinfo",
        "issuer",
        endpoints.USERINFO,
        ("GET", "POST"),
        "UserInfo (OpenID Connect Core 5.3)",
    ),
    RouteSpec(
        "introspection",
        "issuer",
        endpoints.INTROSPECTION,
        ("POST",),
        "Token introspection (RFC 7662)",
        cors=False,
    ),
    RouteSpec(
        "revocation", "issuer", endpoints.REVOCATION, ("POST",), "Token revocation (RFC 7009)"
    ),
    RouteSpec(
        "grant_management",
        "issuer",
        f"{endpoints.GRANTS}/",
        ("GET", "DELETE"),
        "A grant of the client's own (Grant Management 6)",
        cors=False,
        tail="{grant_id}",
    ),
    RouteSpec(
        "challenge",
        "issuer",
        endpoints.CHALLENGE,
        ("POST",),
        "A challenge for client attestations",
    ),
    RouteSpec(
        "end_session",
        "issuer",
        endpoints.END_SESSION,
        ("GET", "POST"),
        "End session endpoint (RP-Initiated Logout 1.0)",
        cors=False,
    ),
    RouteSpec(
        "registration",
        "issuer",
        endpoints.REGISTRATION,
        ("POST",),
        "Dynamic client registration (RFC 7591)",
        cors=False,
    ),
    RouteSpec(
        "client_configuration",
        "issuer",
        f"{endpoints.REGISTRATION}/",
        ("GET", "PUT", "DELETE"),
        "A client's own registration (RFC 7592)",
        cors=False,
        tail="{client_id}",
    ),
    RouteSpec(
        "userinfo_resource",
        "resource",
        endpoints.USERINFO,
        ("GET",),
        "UserInfo as a protected resource (RFC 9728)",
    ),
    RouteSpec(
        "credential_resource",
        "resource",
        endpoints.CREDENTIAL,
        ("GET",),
        "The credential endpoint as a protected resource (RFC 9728)",
    ),
    RouteSpec(
        "issuer_metadata",
        "inserted",
        "openid-credential-issuer",
        ("GET",),
        "Credential issuer metadata (OpenID4VCI 12.2)",
    ),
    RouteSpec(
        "jwt_vc_issuer",
        "inserted",
        "jwt-vc-issuer",
        ("GET",),
        "Keys that credentials verify with (SD-JWT VC)",
    ),
    RouteSpec(
        "type_metadata",
        "vct",
        "/",
        ("GET",),
        "Credential type metadata (SD-JWT VC)",
        tail="{type}/{version}",
    ),
    RouteSpec(
        "offer",
        "issuer",
        "/offers/",
        ("GET",),
        "A credential offer (OpenID4VCI 4.1.3)",
        tail="{offer_id}",
    ),
    RouteSpec("nonce", "issuer", "/nonce", ("POST",), "A c_nonce (OpenID4VCI 7)"),
    RouteSpec(
        "credential",
        "issuer",
        endpoints.CREDENTIAL,
        ("POST",),
        "Credential endpoint (OpenID4VCI 8)",
    ),
    RouteSpec(
        "deferred_credential",
        "issuer",
        "/deferred-credential",
        ("POST",),
        "Deferred credential endpoint (OpenID4VCI 9)",
    ),
    RouteSpec(
        "notification",
        "issuer",
        "/notification",
        ("POST",),
        "What the wallet did with a credential (OpenID4VCI 11)",
    ),
    RouteSpec(
        "certificates",
        "issuer",
        "/pki/",
        ("GET",),
        "Roots and revocation lists of a development authority (RFC 5280)",
        tail="{file}",
    ),
    RouteSpec(
        "status_aggregation", "status", "", ("GET",), "All status lists (Token Status List 9)"
    ),
    RouteSpec(
        "status", "status", "/", ("GET",), "A status list (Token Status List 8)", tail="{list_id}"
    ),
)


def hot_routes(service: Service, logouts: Logouts) -> tuple[HotRoute, ...]:
    """The table with its endpoints."""
    made = _endpoints(service, logouts)
    return tuple(
        HotRoute(
            spec.at(service.settings),
            spec.methods,
            made[spec.name],
            spec.summary,
            spec.cors,
        )
        for spec in TABLE
        if spec.name in made  # a part that is switched off is not there
    )


def _endpoints(service: Service, logouts: Logouts) -> Mapping[str, Endpoint]:
    provider, issuer = service.provider, service.issuer
    metadata = ProviderMetadataEndpoint(provider.config)
    assert metadata_path(provider.config, endpoints.USERINFO) == metadata_path_of(
        service.settings, endpoints.USERINFO
    )
    return {
        "configuration": metadata,
        "server": metadata,
        "jwks": JwksEndpoint(provider.signers),
        "authorize": AuthorizeEndpoint(provider),
        "par": PushedAuthorizationEndpoint(provider),
        "backchannel_authentication": BackchannelAuthenticationEndpoint(provider),
        "device_authorization": DeviceAuthorizationEndpoint(provider),
        "token": TokenEndpoint(provider),
        "userinfo": UserInfoEndpoint(provider),
        "introspection": IntrospectionEndpoint(provider),
        "revocation": RevocationEndpoint(provider),
        "grant_management": GrantManagementEndpoint(provider),
        "end_session": EndSessionEndpoint(provider, logouts),
        "userinfo_resource": ResourceMetadataEndpoint(
            provider.config, endpoints.USERINFO, ("openid",)
        ),
        "credential_resource": ResourceMetadataEndpoint(provider.config, endpoints.CREDENTIAL),
        "issuer_metadata": MetadataEndpoint(issuer),
        "jwt_vc_issuer": JwtVcIssuerEndpoint(issuer),
        "type_metadata": TypeMetadataEndpoint(issuer),
        "offer": OfferEndpoint(issuer),
        "nonce": NonceEndpoint(issuer),
        "credential": CredentialEndpoint(issuer),
        "deferred_credential": DeferredCredentialEndpoint(issuer),
        "notification": NotificationEndpoint(issuer),
        "certificates": CertificatesEndpoint(service.foundation.rings),
        "status_aggregation": StatusAggregationEndpoint(service.publisher, STATUS_TTL),
        "status": StatusListEndpoint(service.publisher, issuer.clock),
        **_registration(service),
        **_challenge(service),
    }


def _challenge(service: Service) -> Mapping[str, Endpoint]:
    if not service.provider.config.attestation_challenge:
        return {}
    return {"challenge": ChallengeEndpoint(service.provider)}


def _registration(service: Service) -> Mapping[str, Endpoint]:
    if service.registry is None:
        return {}
    config = service.provider.config
    return {
        "registration": RegistrationEndpoint(config, service.registry),
        "client_configuration": ClientConfigurationEndpoint(config, service.registry),
    }
