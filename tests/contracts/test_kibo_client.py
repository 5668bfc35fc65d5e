"""The vendor's own client from npm, unmodified: it logs in by code, refreshes, and reads what every failure says."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from pytest_django.fixtures import Settings

from auth_providers.models import AuthProvider
from tenants.models import SecondFactor, SigningKey, Tenant
from tenants.outbox import worker
from tests import factories, https_server, node_packages
from tests.contracts.kibo import make_application
from tests.contracts.scene import ADDRESS

# The client goes through a proxy that its environment names, and stops checking certificates then.
NOT_PASSED_ON = {"http_proxy", "https_proxy", "all_proxy"}


class Conversation:
    """The script, line by line; what it says is kept by name."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.heard: dict[str, Any] = {}

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def listen(self) -> str:
        """Until it wants something, and what that is; "" at its end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            if "wants" in event:
                return str(event["wants"])
            self.heard[event.pop("name")] = event
        return ""


def mailed_code() -> str:
    mail.outbox.clear()
    worker.send_due()
    [body] = [str(each.body) for each in mail.outbox if re.search(r"\b\d{6}\b", str(each.body))]
    found = re.search(r"\b\d{6}\b", body)
    return found.group() if found else ""


def start(certificate: Path) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name.lower() not in NOT_PASSED_ON}
    return subprocess.Popen(
        ["node", "kibo_client.mjs"],  # noqa: S607
        cwd=node_packages.FOLDER,
        env=environment | {"NODE_EXTRA_CA_CERTS": str(certificate)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def given_to(host: str, tenant: Tenant) -> str:
    key, secret = make_application(tenant)
    configuration = {
        "tenantId": tenant.number,
        "siteId": 1,
        "clientId": key.client_id,
        "sharedSecret": secret,
        "authHost": host,
        "apiHost": host,
    }
    return json.dumps({"configuration": configuration, "email": factories.EMAIL, "password": factories.PASSWORD})


@pytest.fixture
def heard(settings: Settings, tmp_path: Path, transactional_db: None) -> dict[str, Any]:
    """All that the client says."""
    node_packages.installed()
    tenant = factories.make_tenant()
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp")
    factories.make_customer(tenant, address=ADDRESS, first_name="Ada", last_name="Lovelace")
    with https_server.running(tmp_path) as (host, certificate), start(certificate) as process:
        settings.PUBLIC_URL = f"https://{host}"
        talk = Conversation(process)
        talk.say(given_to(host, tenant))
        while wish := talk.listen():
            answer = mailed_code() if wish == "code" else "done"
            if wish == "policy":
                Tenant.objects.update(second_factor_policy=SecondFactor.NEW_DEVICE)
            if wish == "broken rows":
                SigningKey.objects.update(private_pem_encrypted="nonsense")
            if wish == "no key":
                SigningKey.objects.all().delete()
            cache.clear()  # of keys
            talk.say(answer)  # from here on the client goes on
    assert process.returncode == 0
    return talk.heard


FAILURES = {
    "400": (400, "MISSING_OR_INVALID_PARAMETER", "email: This field may not be null."),
    "400 site": (400, "MISSING_OR_INVALID_PARAMETER", "x-vol-site: The tenant has no such site."),
    "401": (401, "INVALID_CREDENTIALS", "The code is not valid. Ask for a new one if it does not work."),
    "401 token": (401, "INVALID_ACCESS_TOKEN", "Invalid access token"),
    "401 refresh": (401, "INVALID_CREDENTIALS", "The refresh token is not valid."),
    "404": (404, "ITEM_NOT_FOUND", "There is no such tenant."),
    "404 path": (404, "ITEM_NOT_FOUND", "There is no such path."),
    "405": (405, "METHOD_NOT_ALLOWED", 'Method "DELETE" not allowed.'),
    "413": (413, "REQUEST_TOO_LARGE", "The body is larger than 256 KiB."),
    "415": (415, "UNSUPPORTED_MEDIA_TYPE", 'Unsupported media type "text/plain" in request.'),
    "429": (429, "TOO_MANY_REQUESTS", "Too many attempts. Try again later."),
    "500": (500, "UNEXPECTED_ERROR", "An unexpected error occurred."),
    "503": (503, "SERVICE_UNAVAILABLE", "The service cannot issue tokens for this tenant right now."),
}


def test_the_vendors_client(heard: dict[str, Any]) -> None:
    """One test: the client is started once."""
    check_answers({name: event["answer"] for name, event in heard.items() if "answer" in event})
    failures = {name: event for name, event in heard.items() if "answer" not in event}
    application = failures.pop("401 application")
    assert application["message"] == "Invalid API key."
    assert {name: (each["status"], each["code"], each["message"]) for name, each in failures.items()} == FAILURES
    assert {each["error"] for each in failures.values()} == {"ResponseError"}
    assert all(re.fullmatch("[0-9a-f-]{36}", each["correlationId"]) for each in failures.values())


def check_answers(answers: dict[str, Any]) -> None:
    assert answers["tenant"]["id"] == 10001
    assert [site["id"] for site in answers["tenant"]["sites"]] == [1]
    assert answers["visit"]["customerAccount"]["isAnonymous"] is True
    assert answers["visit refreshed"]["userId"] == answers["visit"]["userId"]
    assert (answers["code requested"], answers["second code requested"]) == (None, None)
    ticket = answers["ticket"]
    assert (ticket["requires2FA"], ticket["customerAccount"]["emailAddress"]) == (False, factories.EMAIL)
    assert ticket["jwtAccessToken"].count(".") == 2
    assert answers["refreshed"]["customerAccount"] == {"id": 10000001, "contacts": [{"email": factories.EMAIL}]}
    assert answers["refreshed"]["accessToken"] != ticket["accessToken"]
    assert answers["password"] == {"userId": ticket["userId"]}
    due = answers["due"]
    assert (due["requires2FA"], due["accessToken"], due["customerAccount"]) == (True, None, None)
    assert answers["completed"]["customerAccount"]["last2FaDate"]
    assert answers["completed"]["userId"] == ticket["userId"]
