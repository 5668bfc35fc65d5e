"""`docs/gateway.md`: nginx, with the document's own files, in front of a cart that trusts it."""

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from auth_providers.tokens import sessions
from tenants.models import ApiKey, Tenant
from tests import factories, openid_issuer
from tests.contracts.token_services.services import application_token, gateway
from tests.server_process import free_port, until

DOCUMENT: Path = settings.BASE_DIR / "docs" / "gateway.md"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SCRIPTS = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
AROUND = """
load_module {scripts};
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/cart.conf;
}}
"""

pytestmark = pytest.mark.skipif(
    NGINX is None or not SCRIPTS.exists(), reason="needs nginx with its scripts (nginx, libnginx-mod-http-js)"
)


def block(language: str) -> str:
    """The document's only block of this language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    return str(found)


class Cart:
    """What the vendor's cart was told, newest last; and nginx in front of it."""

    def __init__(self, url: str, log: Path, tenant: Tenant) -> None:
        self.url, self.log, self.tenant = url, log, tenant
        self.told: list[dict[str, str]] = []

    def visit(self, token: str = "", **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(f"{self.url}/cart/items", headers=sent | headers, timeout=10, trust_env=False)

    def answer(self, asked: openid_issuer.Conversation) -> None:
        self.told.append({name.lower(): value for name, value in asked.headers.items()})
        asked.answer(200, {"items": []})


@pytest.fixture
def cart(live_server: LiveServer, transactional_db: None, tmp_path: Path) -> Iterator[Cart]:
    tenant = factories.make_tenant()
    key = base64.b64encode(":".join(gateway(tenant).values()).encode()).decode()
    with openid_issuer.running() as shop:
        port = free_port()
        moved = {
            "/etc/nginx/": f"{tmp_path}/",
            "/var/lib/nginx/": f"{tmp_path}/",
            "127.0.0.1:8000": live_server.url.removeprefix("http://"),
            "127.0.0.1:9000": shop.url.removeprefix("http://"),
            "127.0.0.1:8080": f"127.0.0.1:{port}",
            "200 10s": "200 2s",  # nobody wants to wait so long
        }
        site = block("nginx")
        for documented, here in moved.items():
            assert documented in site
            site = site.replace(documented, here)
        (tmp_path / "cart.conf").write_text(site)
        (tmp_path / "patron.js").write_text(block("js"))
        (tmp_path / "patron-key.conf").write_text(f'proxy_set_header Authorization "Basic {key}";')
        with running(tmp_path) as log:
            cart = Cart(f"http://127.0.0.1:{port}", log, tenant)
            shop.answers["/cart/items"] = cart.answer
            until(lambda: is_up(cart.url), 10)
            yield cart


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user, scripts=SCRIPTS))
    process = subprocess.Popen([str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")])  # noqa: S603
    try:
        yield folder / "error.log"
    finally:
        process.terminate()
        process.wait(10)


def is_up(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 404
    except httpx.TransportError:
        return False


def test_a_cart_is_kept_through_a_log_in(cart: Cart) -> None:
    visit = factories.open_anonymous(cart.tenant)
    first = cart.visit(visit.pair.access_token)
    assert first.json() == {"items": []}
    assert "WWW-Authenticate" not in first.headers
    logged_in = factories.log_in(factories.make_customer(cart.tenant), anonymous_session=visit.session)
    assert cart.visit(logged_in.access_token).status_code == 200
    assert cart.visit(logged_in.service_jwt).status_code == 200
    session, number = str(visit.session.pk), logged_in.customer.number
    told = [(each["x-session-id"], each.get("x-customer-id", "")) for each in cart.told]
    assert told == [(session, ""), (session, number), (session, number)]
    assert not [each for each in cart.told if "authorization" in each]


def test_what_a_browser_says_of_itself_does_not_count(cart: Cart) -> None:
    token = factories.open_anonymous(cart.tenant).pair.access_token
    forged = {"X-Customer-Id": "10000001", "X-Session-Id": "1", "Token-Customer": "10000001"}
    assert cart.visit(token, **forged).status_code == 200
    [told] = cart.told
    assert told.get("x-customer-id", "") == ""
    assert told["x-session-id"] != "1"


def test_what_opens_no_cart(cart: Cart, other_tenant: Tenant) -> None:
    logged_in = factories.log_in(factories.make_customer(cart.tenant))
    theirs = factories.log_in(factories.make_customer(other_tenant))
    ended = factories.log_in(logged_in.customer)
    sessions.end(tenant=cart.tenant, session=ended.session)
    refused = ["rubbish", logged_in.refresh_token, application_token(cart.tenant), theirs.access_token]
    for token in [*refused, theirs.service_jwt, ended.access_token]:
        answer = cart.visit(token)
        assert (answer.status_code, "invalid_token" in answer.headers["WWW-Authenticate"]) == (401, True), token
    for headers in (
        {},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer a b"},
        {"Authorization": "Bearer a&b"},
    ):
        assert cart.visit(**headers).headers["WWW-Authenticate"] == 'Bearer realm="cart"'
    assert not cart.told


def test_a_session_that_ended_opens_the_cart_for_as_long_as_the_answer_is_kept(cart: Cart) -> None:
    logged_in = factories.log_in(factories.make_customer(cart.tenant))
    assert cart.visit(logged_in.access_token).status_code == 200
    sessions.end(tenant=cart.tenant, session=logged_in.session)
    until(lambda: cart.visit(logged_in.access_token).status_code == 401, 20)


def test_an_answer_is_asked_for_once_while_it_is_kept(cart: Cart, tmp_path: Path) -> None:
    token = factories.open_anonymous(cart.tenant).pair.access_token
    assert cart.visit(token).status_code == 200
    kept = [each for each in (tmp_path / "patron").rglob("*") if each.is_file()]
    assert len(kept) == 1
    assert token.encode() not in kept[0].read_bytes()


def test_no_answer_is_no_way_in(cart: Cart, tmp_path: Path) -> None:
    """A secret that is wrong, as when Patron is away."""
    ApiKey.objects.filter(client_id="gateway").update(is_active=False)
    token = factories.open_anonymous(cart.tenant).pair.access_token
    assert cart.visit(token).status_code == 500
    assert "introspection was answered with 401" in cart.log.read_text()
    assert not cart.told
