"""What a verifier asked a holder for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Challenge:
    """What this verifier asked for: the holder's proof must name both.

    `audience` is the whole client identifier, with its prefix.
    """

    audience: str
    nonce: str
