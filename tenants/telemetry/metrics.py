"""What is counted for Prometheus, by every process. Names and labels are those of `docs/slo.md` and of
`deploy/monitoring/`; no label is chosen by callers, or there would be as many series as they like.

Where the numbers of several processes become one, `tenants.management.metrics_port` says so.
"""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# Seconds. A request is expected in tens of milliseconds, a log-in in some fifty.
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
HASH_SECONDS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
EXTERNAL = "external"

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter began is of no use where processes come and go

request_seconds = Histogram(
    "patron_request_seconds",
    "From a complete request to its answer, by the first part of the path.",
    ["area", "status"],
    buckets=REQUEST_SECONDS,
)
database_errors = Counter("patron_database_errors", "Requests that failed because the database did.")
log_ins = Counter(
    "patron_log_ins",
    "Log-ins by what became of them: success, refused, second_factor (is due).",
    ["result", "kind"],
)
hash_seconds = Histogram("patron_hash_seconds", "Computing a password hash.", buckets=HASH_SECONDS)
hash_wait_seconds = Histogram("patron_hash_wait_seconds", "Waiting for a turn to be hashed.", buckets=HASH_SECONDS)
hash_refused = Counter("patron_hash_refused", "Passwords that were not hashed: too many wait.")
throttled = Counter("patron_throttled", "Attempts that a limit refused, by its rule.", ["rule"])
calls = Counter(
    "patron_calls",
    "Calls to other systems: answered, refused (a 4xx) or failed.",
    ["system", "result"],
)
breaker_openings = Counter("patron_circuit_breaker_openings", "How often a circuit breaker opened.", ["system"])
breaker_open_until = Gauge(
    "patron_circuit_breaker_open_until_seconds",
    "Until when (Unix time) the last circuit breaker that opened lets no call through.",
    ["system"],
    multiprocess_mode="max",
)
deliveries = Counter(
    "patron_deliveries",
    "Attempts to send a message: sent, dropped (nothing to say), failed (tried again), given_up.",
    ["channel", "result"],
)
