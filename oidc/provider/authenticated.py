"""Who sent a request, as far as it is proven."""

from keys.record import record
from oidc.records import Client


@record
class Authenticated:
    """A client that proved who it is, or a public one, which cannot.

    With an assertion or a proof of possession, its jti must still be burnt:
    ``assertion_replay_key`` counts once until ``replay_until`` (epoch ms). ``instance_jkt`` is the
    thumbprint of the key of the client instance, where one is attested.
    """

    client: Client
    assertion_replay_key: bytes | None = None
    replay_until: int = 0
    instance_jkt: str | None = None
