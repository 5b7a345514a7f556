"""HAIP 1.0 (OpenID4VC High Assurance Interoperability Profile), the issuer's side, line by line.

================================  ========  ======================================================
rule                              HAIP      where it is enforced
================================  ========  ======================================================
authorization-code, par, pkce,    4         profile ``haip`` in ``oidc/profiles.py``
iss, dpop
client-authentication             4.4.1     the same; ``oidc/provider/client_attestation.py``
attestation-x5c                   4.4.1     the same: the chain is in ``x5c``, without its anchor
credentials-by-scope              4.1, 4.3  ``corpid/services/client_wallet.py``
no-anonymous-access               4.4.1     ``CORPID_HAIP=required``: ``oidc/provider/token.py``
wallets-of-the-profile            4.4.1     the same: ``CredentialIssuance.decide``
key-attestation-x5c               4.5.1     the same: ``oidc/issuer/holders.py``
nonce-endpoint, metadata          4.1       always there
credential-x5c, status-x5c        6.1       the same: else the service does not start
signatures, hashes                7, 8      ES256 and SHA-256, always
================================  ========  ======================================================

Whether a key must be attested, credentials come in batches, or metadata is signed is an ecosystem's
choice (4, 4.1, 9.2); so a report has advice there, and no failure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from corpid.services.client_check import Checked, Line, Severity, line
from oidc.attesters import METHODS
from oidc.profiles import HAIP

_CODE: Final = "authorization_code"


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """What is known of the issuer. ``signing_chains`` has the x5c of what signs now, by purpose."""

    wallet_attestation: bool
    key_attestation: bool
    required: bool
    wallet_providers_with_anchors: int
    signing_chains: Mapping[str, Sequence[str]]
    scopes: Mapping[str, str]


def check_issuer(facts: IssuerFacts) -> list[Line]:
    """The report on the issuer, in the order of the standard."""
    return [one for rule in _ISSUER for one in rule(facts)]


def check_client(client: Checked, *, trusted: bool) -> list[Line]:
    """The report on a wallet; ``trusted`` says that its wallet provider is, by certificates."""
    return [*_wallet(client, trusted), *_wallet_requests(client)]


def _protocol(facts: IssuerFacts) -> Iterator[Line]:
    says = "the profile haip has PAR, PKCE with S256, DPoP and iss, and codes for wallets"
    yield Line("authorization", "HAIP 4", Severity.PASSED, says)
    nameless = sorted(name for name, scope in facts.scopes.items() if not scope)
    yield line(
        "metadata-scope",
        "HAIP 4.1",
        not nameless,
        ("every credential has a scope", f"without a scope: {', '.join(nameless)}"),
        "give every credential configuration a scope",
    )
    yield Line("nonce-endpoint", "HAIP 4.1", Severity.PASSED, "there is a nonce endpoint")


def _wallets(facts: IssuerFacts) -> Iterator[Line]:
    yield line(
        "client-authentication",
        "HAIP 4.4.1",
        facts.wallet_attestation,
        ("wallets may authenticate by attestation", "no wallet can authenticate by attestation"),
        "CORPID_WALLET_ATTESTATION=challenge",
    )
    yield line(
        "wallets-of-the-profile",
        "HAIP 4.4.1",
        facts.required,
        (
            "only wallets of the profile haip get credentials, and none anonymously",
            "wallets of other profiles get credentials, and anonymous ones",
        ),
        "CORPID_HAIP=required",
    )
    count = facts.wallet_providers_with_anchors
    yield line(
        "wallet-providers",
        "HAIP 4.4.1",
        count > 0,
        (f"{count} wallet providers are trusted by certificates", "no wallet provider is trusted"),
        "wallet-provider add ID --anchors FILE",
        Severity.WARNING,
    )


def _keys(facts: IssuerFacts) -> Iterator[Line]:
    yield line(
        "key-attestation",
        "HAIP 4.5.1",
        facts.key_attestation,
        ("key attestations are looked at", "key attestations are not looked at"),
        "CORPID_KEY_ATTESTATION=accepted, or required",
        Severity.ADVICE,
    )


def _certificates(facts: IssuerFacts) -> Iterator[Line]:
    for rule, purpose, what in (
        ("credential-x5c", "credentials", "credentials"),
        ("status-x5c", "status", "status lists"),
    ):
        yield line(
            rule,
            "HAIP 6.1",
            bool(facts.signing_chains.get(purpose)),
            (f"{what} have their certificate in x5c", f"{what} have no certificate in x5c"),
            "pki init for development, or import a chain (corpid pki)",
        )
    yield Line("signatures", "HAIP 7", Severity.PASSED, "what we sign is signed with ES256")


def _wallet(client: Checked, trusted: bool) -> Iterator[Line]:
    get = client.metadata.get
    name, method = get("profile"), get("token_endpoint_auth_method")
    yield line(
        "profile",
        "HAIP 4",
        name == HAIP,
        ("the profile haip enforces HAIP 1.0", f"the profile {name} does not enforce HAIP 1.0"),
        "client update ID --profile haip",
    )
    yield line(
        "client-authentication",
        "HAIP 4.4.1",
        method in METHODS,
        (f"it authenticates by {method}", f"it authenticates by {method}"),
        "client update ID --auth-method attest_jwt_client_auth --wallet-provider PROVIDER",
    )
    yield line(
        "attestation-x5c",
        "HAIP 4.4.1",
        trusted,
        (
            "its wallet provider is trusted by certificates",
            f"its wallet provider {get('wallet_provider')} is not trusted by certificates",
        ),
        "wallet-provider add ID --anchors FILE",
    )
    yield line(
        "enabled",
        "",
        not client.disabled,
        ("the client is enabled", "the client is disabled"),
        "client enable ID",
        Severity.WARNING,
    )


def _wallet_requests(client: Checked) -> Iterator[Line]:
    get = client.metadata.get
    yield line(
        "authorization-code",
        "HAIP 4",
        _CODE in get("grant_types", (_CODE,)),
        ("it has the authorization code flow", "it has no authorization code flow"),
        "client update ID --grant-type authorization_code --redirect-uri URI",
    )
    yield line(
        "par",
        "HAIP 4",
        bool(get("require_pushed_authorization_requests")),
        ("it pushes its requests (PAR)", "its requests may come through the browser"),
        "client update ID --par",
    )
    yield line(
        "pkce",
        "HAIP 4",
        bool(get("pkce_required", True)),
        ("PKCE with S256 is demanded", "PKCE is waived"),
        "client update ID --pkce",
    )
    yield line(
        "dpop",
        "HAIP 4",
        bool(get("dpop_bound_access_tokens")),
        ("its access tokens are bound to a DPoP key", "its access tokens need no DPoP key"),
        "client update ID --dpop",
    )
    types = get("authorization_details_types") or ()
    yield line(
        "credentials-by-scope",
        "HAIP 4.3",
        not types,
        ("it names credentials by scope", "it may name credentials by authorization details"),
        "register it without types of authorization details",
    )
    scopes = [one for one in get("scope", "").split() if one.startswith("credential.")]
    yield line(
        "credential-scopes",
        "HAIP 4.3",
        bool(scopes),
        (f"it may ask for {', '.join(scopes)}", "it may ask for no credential"),
        "client update ID --scope with the credentials' scopes",
        Severity.WARNING,
    )
    yield line(
        "refresh",
        "HAIP 4.4",
        "refresh_token" in get("grant_types", ()),
        ("it may renew credentials by refresh token", "it cannot renew credentials by itself"),
        "client update ID --scope offline_access --grant-type refresh_token",
        Severity.ADVICE,
    )


_ISSUER: Final[tuple[Callable[[IssuerFacts], Iterator[Line]], ...]] = (
    _protocol,
    _wallets,
    _keys,
    _certificates,
)


def unmet(lines: Sequence[Line]) -> list[Line]:
    """What the standard forbids to leave so."""
    return [one for one in lines if one.severity is Severity.FAILURE]
