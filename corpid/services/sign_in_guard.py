"""Slowing down those who guess: a few tries are free, then each costs a longer wait.

The wait doubles and stops at five minutes: a guesser gets some three hundred tries a day, and the
person whose name is being guessed is never shut out for longer than that.
"""

from typing import Final

from corpid.services.records import SignInGuard

FREE_TRIES: Final = 3
LONGEST_SECONDS: Final = 300
FORGET_AFTER_MS: Final = 24 * 3600 * 1000

NO_FAILURES: Final = SignInGuard(failures=0, blocked_until=0)


def delay_seconds(failures: int) -> int:
    """How long to refuse after that many failures in a row."""
    if failures < FREE_TRIES:
        return 0
    return min(LONGEST_SECONDS, 1 << min(failures - FREE_TRIES, 10))


def waits_seconds(guard: SignInGuard, now_ms: int) -> int:
    """Seconds (rounded up) until the next try may be made; 0 when it may be made now."""
    return max(0, -(-(guard.blocked_until - now_ms) // 1000))


def after_try(guard: SignInGuard, now_ms: int) -> SignInGuard:
    """The guard with one more try counted as failed.

    A try is counted before its check and forgiven afterwards, so that many at the same moment
    get no more tries than one after the other.
    """
    forgotten = guard.blocked_until and now_ms - guard.blocked_until > FORGET_AFTER_MS
    failures = 1 if forgotten else guard.failures + 1
    # The instant is kept also when nothing is refused, to know how old the failures are.
    return SignInGuard(failures, now_ms + delay_seconds(failures) * 1000)
