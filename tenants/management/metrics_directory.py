"""Where processes that are started together keep their numbers, so that one of them answers Prometheus for all."""

import os
import tempfile

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own, which it reads when it is imported


def create() -> str:
    """Make a directory, and name it to the processes that are started from now on, unless they are told another one
    already. Who calls it removes the directory when they have ended."""
    own = tempfile.mkdtemp(prefix="patron-metrics-")
    os.environ.setdefault(VARIABLE, own)
    return own
