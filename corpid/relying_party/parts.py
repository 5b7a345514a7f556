"""What the methods of a relying party share: its settings, its caches, its verifiers."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from corpid.relying_party.access_tokens import AccessTokenVerifier
from corpid.relying_party.answers import AnswerVerifier
from corpid.relying_party.credentials import CredentialVerifier
from corpid.relying_party.fetch import Fetch, StandardFetch
from corpid.relying_party.issuer_keys import IssuerKeys
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.mdocs import MdocVerifier
from corpid.relying_party.policy import Policy
from corpid.relying_party.replay import MemoryReplayStore, ReplayStore
from corpid.relying_party.signed import SignedReader
from corpid.relying_party.status_check import StatusCheck
from corpid.relying_party.status_source import StatusSource
from corpid.relying_party.status_tokens import StatusTokens
from corpid.relying_party.tokens import TokenVerifier
from corpid.relying_party.trust import Anchor, Trust
from corpid.relying_party.w3c_credentials import W3cVerifier
from keys.clock import Clock, system_clock
from keys.errors import MalformedKey
from keys.jwe_decrypt import DecryptionKey, parse_keys

DEFAULT_POLICY: Final = Policy()


class Parts:
    """Puts a relying party together; see RelyingParty for the arguments."""

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str | None = None,
        audience: str | None = None,
        fetch: Fetch | None = None,
        clock: Clock = system_clock,
        policy: Policy = DEFAULT_POLICY,
        replay: ReplayStore | None = None,
        credential_issuers: Iterable[str] = (),
        acr_base: str | None = None,
        decryption_keys: Mapping[str, Any] | None = None,
        trust_anchors: Iterable[Anchor] = (),
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.audience = audience
        self._acr_base = (f"{issuer}/acr" if acr_base is None else acr_base).rstrip("/")
        self._clock = clock
        self._policy = policy
        get = StandardFetch() if fetch is None else fetch
        self._keys = KeySource(get, clock, policy)
        trust = Trust(trust_anchors, clock)
        self._status_tokens = StatusTokens(self._keys, trust, clock, policy)
        statuses = StatusSource(get, self._status_tokens, clock, policy)
        self._reader = SignedReader(issuer, self._keys, clock, policy, _private(decryption_keys))
        store = MemoryReplayStore(clock) if replay is None else replay
        base = self._acr_base
        self._tokens = TokenVerifier(self._reader, replay=store, acr_base=base)
        self._access_tokens = AccessTokenVerifier(self._reader, replay=store, acr_base=base)
        self._answers = AnswerVerifier(self._reader)
        issuers = frozenset({issuer, *credential_issuers})
        keys = IssuerKeys(self._keys, trust, policy)
        self._status = StatusCheck(statuses, policy)
        self._credentials = CredentialVerifier(issuers, keys, trust, self._status, clock, policy)
        self._w3c = W3cVerifier(issuers, keys, self._status, clock, policy)
        self._mdocs = MdocVerifier(issuers, trust, self._status, clock, policy)


def given(argument: str | None, default: str | None, name: str) -> str:
    """Return the argument, or what the relying party was made with. Raises ValueError."""
    value = default if argument is None else argument
    if not value:
        raise ValueError(f"{name} is needed: to RelyingParty or to the call")
    return value


def _private(keys: Mapping[str, Any] | None) -> tuple[DecryptionKey, ...]:
    if keys is None:
        return ()
    try:
        return parse_keys(keys)
    except MalformedKey as error:
        raise ValueError(f"decryption_keys: {error}") from error
