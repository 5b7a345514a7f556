"""What a relying party accepts."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Policy:
    """Choices of the relying party; times in seconds.

    `on_undetermined` decides what happens when a credential is in order but its status cannot be
    learned: `refuse` raises the Undetermined error, `accept` returns the value with its status
    marked `undetermined`. Keys that cannot be fetched are never passed over.

    A status list is fetched anew after its own `ttl`, and after `status_ttl` at latest: 0 asks
    every time. When that fails the old list serves `status_grace` longer, never beyond its `exp`.
    `status_formats` are the forms of it that are accepted, the one that is asked for first at the
    front.

    `require_certificates` refuses credentials and status lists without a chain of certificates
    (HAIP 1.0), where the relying party has trust anchors.

    `require_encryption` names what must come encrypted: `id_token`, `userinfo`,
    `authorization_response`, `introspection`, `logout_token`. Name what you registered encryption
    for (OpenID Connect Core, 3.1.3.7, 1). `answer_max_age` is how old a signed answer of UserInfo
    or introspection may be, which have no end of their own.
    """

    on_undetermined: Literal["refuse", "accept"] = "refuse"
    require_status: bool = True
    require_certificates: bool = False
    algorithms: frozenset[str] = frozenset({"ES256"})
    require_encryption: frozenset[str] = frozenset()
    leeway: int = 10
    key_binding_max_age: int = 300
    dpop_max_age: int = 60
    max_token_lifetime: int = 3600
    answer_max_age: int = 60
    keys_ttl: int = 3600
    keys_grace: int = 3600
    keys_refetch_interval: int = 60
    status_ttl: int = 300
    status_grace: int = 3600
    status_formats: tuple[Literal["jwt", "cwt"], ...] = ("jwt", "cwt")
    failure_ttl: int = 5
