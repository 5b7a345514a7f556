"""What the figures must reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEMORY_TOKENS = 100_000
_REFERENCE_VERIFY_US = 80.0
PEER = "oidc-provider"
# How many times our CPU must go into the peer's; the last is what we aim at.
_CHEAPER = (
    ("token", 1.4, 1.8),
    ("token_dpop", 1.8, 1.8),
    ("credential", 2.5, 2.5),
    ("login", 2.5, 2.5),
    ("introspection", 1.0, 1.0),
)
# A peer's name goes on with its version.
_SD_JWT_FASTER = (("@sd-jwt", 3.0), ("sd-jwt", 2.0))
_SD_JWT_CALLS = ("sd_jwt_issue", "sd_jwt_verify_kb")
_TAIL = 3.0
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal with what was measured; `met` is None where it cannot be judged."""

    text: str
    value: str
    met: bool | None


def judge(result: Mapping[str, Any]) -> list[Goal]:
    """Every goal against a result document."""
    rows = {row["name"]: row for row in result["rows"]}
    conditions = result["conditions"]
    scale = conditions["verify_us"] / _REFERENCE_VERIFY_US
    goals = []
    for name, most, aim in (
        ("token", 3.0, 2.5),
        ("token_dpop", 2.5, 2.0),
        ("credential", 2.5, 2.0),
    ):
        ratio = rows[name]["ratio"]
        text = f"{name}: CPU at most {most} times its cryptography (aim {aim})"
        goals.append(Goal(text, f"{ratio:.2f}", ratio <= most))
    batch = rows["credential_x10"]["cpu_us"] / rows["credential"]["cpu_us"]
    goals.append(Goal("a batch of ten: under 6 times one credential", f"{batch:.2f}", batch < 6))
    goals.append(_latency(rows["token_c1"]["p99_ms"], conditions["fsync_ms"]))
    for name, most_us in (("sd_jwt_issue", 100.0), ("sd_jwt_verify_kb", 300.0)):
        cpu, bound = rows[name]["cpu_us"], most_us * scale
        text = f"{name}: at most {bound:.0f} us ({most_us:.0f} us where verify takes 80 us)"
        goals.append(Goal(text, f"{cpu:.0f} us", cpu <= bound))
    goals.append(_memory(result.get("memory")))
    peers = result.get("peers", {})
    goals += _against_server(rows, _rows_of(peers, PEER))
    for peer, least in _SD_JWT_FASTER:
        theirs = _rows_of(peers, peer)
        for name in _SD_JWT_CALLS:
            text = f"{name}: at least {least} times as fast as {peer}"
            goals.append(_times(text, rows[name], theirs.get(name), least))
    return goals


def _rows_of(peers: Mapping[str, Sequence[Row]], peer: str) -> dict[str, Row]:
    for name, rows in peers.items():
        if name.partition(" ")[0] == peer:
            return {row["name"]: row for row in rows}
    return {}


def _times(text: str, ours: Row, theirs: Row | None, least: float) -> Goal:
    if theirs is None:
        return Goal(text, "not measured", None)
    times = theirs["cpu_us"] / ours["cpu_us"]
    return Goal(text, f"{times:.2f}", times >= least)


def _against_server(ours: Mapping[str, Row], theirs: Mapping[str, Row]) -> list[Goal]:
    goals = []
    for name, least, aim in _CHEAPER:
        text = f"{name}: at least {least} times cheaper than {PEER} (aim {aim})"
        goals.append(_times(text, ours[name], theirs.get(name), least))
    text = f"token: p99 at one connection at most a third of {PEER}'s"
    if "token_c1" not in theirs:
        return [*goals, Goal(text, "not measured", None)]
    p99, other = ours["token_c1"]["p99_ms"], theirs["token_c1"]["p99_ms"]
    return [*goals, Goal(text, f"{p99:.2f} ms against {other:.2f} ms", p99 * _TAIL <= other)]


def _latency(p99_ms: float, fsync_ms: float) -> Goal:
    text = "token: p99 at one connection under 5 ms where fsync takes at most 0.5 ms"
    if fsync_ms > 0.5 and p99_ms >= 5:
        return Goal(text, f"{p99_ms:.2f} ms, but fsync takes {fsync_ms:.2f} ms here", None)
    return Goal(text, f"{p99_ms:.2f} ms", p99_ms < 5)


def _memory(memory: Mapping[str, Any] | None) -> Goal:
    text = f"resident memory under 150 MB after {MEMORY_TOKENS:,} tokens"
    if memory is None or memory["tokens"] < MEMORY_TOKENS:
        return Goal(text, "not measured", None)
    return Goal(text, f"{memory['after_mb']:.0f} MB", memory["after_mb"] < 150)
