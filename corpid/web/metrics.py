"""Prometheus metrics: requests by endpoint and status, and how long they took."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CertificateEnds = Callable[[], Iterable[tuple[str, str, float]]]
"""Purpose, kid, and epoch seconds, of each certified key."""
_NAMES: Final = (*map(str, _BUCKETS), "+Inf")


class _Durations:
    """How many requests fell into each bucket, and the sum of their seconds."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_NAMES)
        self.seconds = 0.0


class Metrics(Collector):
    """Counts of one process, kept as plain numbers and put into form when they are asked for.

    Requests are counted on one event loop, so the library's locks would only cost.
    """

    def __init__(
        self, known_paths: frozenset[str], certificate_ends: CertificateEnds = lambda: ()
    ) -> None:
        self._certificate_ends = certificate_ends
        self.registry = CollectorRegistry()
        self._known = known_paths
        self._requests: dict[tuple[str, int], int] = {}
        self._durations: dict[str, _Durations] = {}
        self.registry.register(self)

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Count one request. Unknown paths share one label, so that nobody can grow the table."""
        endpoint = path if path in self._known else "other"
        key = (endpoint, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        durations = self._durations.get(endpoint)
        if durations is None:
            durations = self._durations[endpoint] = _Durations()
        durations.counts[bisect_left(_BUCKETS, seconds)] += 1
        durations.seconds += seconds

    def collect(self) -> Iterable[Metric]:
        """See ``Collector.collect``."""
        requests = CounterMetricFamily(
            "corpid_requests",
            "HTTP requests by endpoint and status",
            labels=["endpoint", "status"],
        )
        for (endpoint, status), count in self._requests.items():
            requests.add_metric([endpoint, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily(
            "corpid_request_seconds", "Time to answer, by endpoint", labels=["endpoint"]
        )
        for endpoint, durations in self._durations.items():
            buckets = list(zip(_NAMES, accumulate(durations.counts), strict=True))
            seconds.add_metric([endpoint], buckets, durations.seconds)
        yield seconds
        ends = GaugeMetricFamily(
            "corpid_certificate_expires_at_seconds",
            "When the certificate of a signing key ends, in epoch seconds",
            labels=["purpose", "kid"],
        )
        for purpose, kid, ends_at in self._certificate_ends():
            ends.add_metric([purpose, kid], ends_at)
        yield ends

    def exposition(self) -> bytes:
        """The text format that Prometheus reads."""
        return generate_latest(self.registry)
