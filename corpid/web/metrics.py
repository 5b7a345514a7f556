"""Prometheus metrics: requests by endpoint and status, and how long they took."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """Counters of one process, with children kept by endpoint so that a request costs little."""

    def __init__(self, known_paths: frozenset[str]) -> None:
        self.registry = CollectorRegistry()
        self._known = known_paths
        self._requests = Counter(
            "corpid_requests_total",
            "HTTP requests by endpoint and status",
            ["endpoint", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "corpid_request_seconds",
            "Time to answer, by endpoint",
            ["endpoint"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._counters: dict[tuple[str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Count one request. Unknown paths share one label, so that nobody can grow the table."""
        endpoint = path if path in self._known else "other"
        counter = self._counters.get((endpoint, status))
        if counter is None:
            counter = self._requests.labels(endpoint, str(status))
            self._counters[endpoint, status] = counter
        counter.inc()
        histogram = self._histograms.get(endpoint)
        if histogram is None:
            histogram = self._histograms[endpoint] = self._seconds.labels(endpoint)
        histogram.observe(seconds)

    def exposition(self) -> bytes:
        """The text format that Prometheus reads."""
        return generate_latest(self.registry)
