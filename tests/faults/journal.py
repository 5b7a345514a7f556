"""What clients were told, as a whole response: what a kill must not take back."""

import hashlib
import time
from dataclasses import dataclass, field
from enum import Enum

from tests.support.fapi_client import FapiClient, Sent
from tests.support.fapi_client_http import Answer
from tests.support.wallet import Wallet, credential_of, status_of

TOKEN_SECONDS = 240
"""How long an access token is asked about: a minute less than it lives."""

Entry = tuple[str, int]
"""Status list and index."""


@dataclass(slots=True)
class Token:
    """An acknowledged access token; `client` is whose, None for the wallet's own.

    `family` is the refresh token that it came with, or by.
    """

    value: str
    client: FapiClient | None
    wallet: Wallet | None = None
    family: str | None = None
    ended: bool = False
    at: float = field(default_factory=time.monotonic)

    @property
    def fresh(self) -> bool:
        """Whether it has not expired."""
        return time.monotonic() - self.at < TOKEN_SECONDS


class Asked(Enum):
    """How far something that may be done once has got, as far as its client knows."""

    NO = 0
    UNANSWERED = 1
    ACKNOWLEDGED = 2


@dataclass(slots=True)
class Held:
    """An acknowledged credential."""

    entry: Entry
    digest: bytes
    wallet: Wallet
    token: str
    kind: str
    notification_id: str
    credential_id: str = ""
    accepted: Asked = Asked.NO
    revoked: Asked = Asked.NO

    @property
    def states(self) -> set[str]:
        """The states that its record may be in."""
        if self.revoked is Asked.ACKNOWLEDGED:
            return {"revoked"}
        settled = {"accepted"} if self.accepted is Asked.ACKNOWLEDGED else {"issued", "accepted"}
        if self.accepted is Asked.NO:
            settled = {"issued"}
        return settled | ({"revoked"} if self.revoked is Asked.UNANSWERED else set())


@dataclass(slots=True)
class Redeemed:
    """An acknowledged redemption of a code or an offer, and the token that came of it."""

    sent: Sent
    token: Token


@dataclass(slots=True)
class Request:
    """A credential request; unanswered until it is in the journal's `held`."""

    wallet: Wallet
    token: str
    kind: str


@dataclass(slots=True)
class Journal:
    """Everything acknowledged in one trial, and what was sent and never answered."""

    tokens: list[Token] = field(default_factory=list)
    refresh_tokens: list[str] = field(default_factory=list)
    codes: list[Redeemed] = field(default_factory=list)
    offers: list[Redeemed] = field(default_factory=list)
    requests: list[tuple[FapiClient, Sent]] = field(default_factory=list)
    held: dict[Entry, Held] = field(default_factory=dict)
    unanswered_codes: list[dict[str, str]] = field(default_factory=list)
    unanswered_requests: list[Request] = field(default_factory=list)
    acknowledged: int = 0

    def token(
        self, sent: Sent, client: FapiClient | None = None, wallet: Wallet | None = None
    ) -> Token:
        """An acknowledged token response."""
        self.acknowledged += 1
        answer = sent.answer.expect(200).json
        family = answer.get("refresh_token") or sent.fields.get("refresh_token")
        made = Token(answer["access_token"], client, wallet, family)
        self.tokens.append(made)
        if client is not None:
            self.requests.append((client, sent))
        if "refresh_token" in answer:
            self.refresh_tokens.append(answer["refresh_token"])
        return made

    def end_family(self, of: Token) -> None:
        """The grant behind this token has ended, with all its tokens."""
        of.ended = True
        for token in self.tokens:
            if of.family is not None and token.family == of.family:
                token.ended = True
        self.refresh_tokens = [one for one in self.refresh_tokens if one != of.family]

    def credential(self, request: Request, answer: Answer) -> Held:
        """An acknowledged credential. Its status entry must be nobody else's."""
        self.acknowledged += 1
        answer.expect(200)
        credential = credential_of(answer)
        made = Held(
            entry=status_of(credential),
            digest=hashlib.sha256(credential.partition("~")[0].encode()).digest(),
            wallet=request.wallet,
            token=request.token,
            kind=request.kind,
            notification_id=answer.json["notification_id"],
        )
        assert made.entry not in self.held, f"status entry {made.entry} was given out twice"
        self.held[made.entry] = made
        return made
