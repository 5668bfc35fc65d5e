"""How much workers send: mails and webhooks a second for 1, 2 and 4 of them, and how long a code waits.

`python bench/outbox.py` needs PostgreSQL (`BENCH_DATABASE_URL`). Mail server and endpoint are on loopback, in a process
of their own; the workers are `manage.py work`. Figures are those of one machine: compare within one run.
"""
# ruff: noqa: PLC0415 - Django's settings come from the environment, which is known only once the servers listen

import base64
import json
import multiprocessing
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.server import ROOT, temporary_database

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "2000"))
BACKLOG = int(os.environ.get("BENCH_BACKLOG", "100000"))
CODES = 20
WORKERS = (1, 2, 4)


class Hook(BaseHTTPRequestHandler):
    """Takes everything."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def receive(ports: "multiprocessing.Queue[tuple[int, int]]") -> None:
    """The mail server and the endpoint, until the process is ended."""
    from tests import smtp_server

    hooks = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    with smtp_server.running() as mails:
        ports.put((mails.port, int(hooks.server_address[1])))
        hooks.serve_forever()


@contextmanager
def receivers() -> Iterator[tuple[int, int]]:
    ports: multiprocessing.Queue[tuple[int, int]] = multiprocessing.Queue()
    process = multiprocessing.Process(target=receive, args=[ports], daemon=True)
    process.start()
    try:
        yield ports.get(timeout=30)
    finally:
        process.terminate()


@contextmanager
def working(count: int) -> Iterator[None]:
    """So many workers."""
    command = [sys.executable, "manage.py", "work"]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def set_up(port: int) -> None:
    """A tenant with an endpoint."""
    from auth_providers.messaging import webhook_endpoints
    from auth_providers.models import WebhookEndpoint
    from auth_providers.outbound.webhook_signature import new_secret
    from tenants.secrets.encryption import encrypt
    from tests import factories

    endpoint = WebhookEndpoint(
        tenant=factories.make_tenant("bench"),
        name="erp",
        url=f"http://localhost:{port}/hook",
        secret_encrypted=encrypt(new_secret()),
    )
    webhook_endpoints.listen(endpoint=endpoint, types=["customer.updated"])
    endpoint.save()


def seed_mails(count: int) -> None:
    from tenants.models import Message, Tenant
    from tenants.secrets.encryption import encrypt

    tenant = Tenant.objects.get(code="bench")
    context = encrypt(json.dumps({}))
    Message.objects.bulk_create(
        (
            Message(
                tenant=tenant,
                template="password_changed",
                recipient=f"ada{index}@example.com",
                language="en",
                context_encrypted=context,
            )
            for index in range(count)
        ),
        batch_size=2000,
    )


def seed_events(count: int) -> None:
    from tenants.models import AuditEvent, Tenant

    tenant = Tenant.objects.get(code="bench")
    AuditEvent.objects.bulk_create(
        (
            AuditEvent(
                tenant=tenant,
                action="change_profile",
                events="customer.updated",
                details={"fields": ["title"]},
                customer_number=f"{10_000_000 + index}",
            )
            for index in range(count)
        ),
        batch_size=2000,
    )


def sent(channel: str) -> int:
    from tenants.models import Message

    return Message.objects.filter(channel=channel, sent_at__isnull=False).count()


def rate(channel: str, workers: int) -> float:
    """Messages a second, from the first that was sent to the last."""
    from django.db.models import Max, Min

    from tenants.models import Message

    before = sent(channel)
    (seed_mails if channel == "email" else seed_events)(MESSAGES)
    started = Message.objects.filter(channel=channel).order_by("-pk").values_list("pk", flat=True).first() or 0
    with working(workers):
        wait_for(lambda: sent(channel) >= before + MESSAGES)
    mine = Message.objects.filter(channel=channel, sent_at__isnull=False)
    mine = mine.filter(pk__gt=started - MESSAGES) if channel == "email" else mine.filter(pk__gt=started)
    span = mine.aggregate(first=Min("sent_at"), last=Max("sent_at"))
    return MESSAGES / max((span["last"] - span["first"]).total_seconds(), 0.001)


def waits_of_codes() -> list[float]:
    """Seconds from writing a code's message to its being sent, behind a backlog of notices, with one worker."""
    from tenants.models import Message, Tenant
    from tenants.outbox import queue

    tenant = Tenant.objects.get(code="bench")
    seed_mails(BACKLOG)
    keys = []
    with working(1):
        begun = sent("email")
        wait_for(lambda: sent("email") > begun)
        for index in range(CODES):
            keys.append(
                queue.enqueue(
                    tenant=tenant, template="activated", recipient=f"code{index}@example.com", is_urgent=True
                ).pk
            )
            time.sleep(0.5)
        wait_for(lambda: not Message.objects.filter(pk__in=keys, sent_at=None).exists())
    rows = Message.objects.filter(pk__in=keys).values_list("created_at", "sent_at")
    return sorted((sent_at - created_at).total_seconds() for created_at, sent_at in rows if sent_at)


def wait_for(is_done: object, patience: float = 600.0) -> None:
    until = time.monotonic() + patience
    while not is_done():  # type: ignore[operator]
        if time.monotonic() > until:
            raise RuntimeError("it takes too long")
        time.sleep(0.05)


def main() -> None:
    url = os.environ.get("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
    with tempfile.TemporaryDirectory() as folder, temporary_database(url, folder) as database, receivers() as ports:
        smtp_port, hook_port = ports
        os.environ.update(
            DATABASE_URL=database,
            DIRECT_DATABASE_URL=database,
            VAR_DIR=folder,
            SECRET_KEY=secrets.token_urlsafe(50),
            ENCRYPTION_KEYS=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            EMAIL_URL=f"smtp://127.0.0.1:{smtp_port}",
            ALLOWED_PROVIDER_HOSTS="localhost",
            DJANGO_SETTINGS_MODULE="config.settings",
        )
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        set_up(hook_port)
        for channel, name in (("email", "mails"), ("webhook", "webhooks")):
            for workers in WORKERS:
                print(f"{workers} worker(s): {rate(channel, workers):.0f} {name} a second", flush=True)
        waits = waits_of_codes()
        print(f"a code behind {BACKLOG} notices: median {waits[len(waits) // 2]:.3f} s, longest {waits[-1]:.3f} s")


if __name__ == "__main__":
    main()
