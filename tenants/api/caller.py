"""The caller's address, which limits and the audit trail depend on."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

from tenants.clients import Client, networks, unmapped
from tenants.models import Tenant


def client_of(request: HttpRequest, *, is_caller_trusted: bool = False) -> Client:
    """Who calls. `X-Forwarded-For` is believed only as far as the proxies named in TRUSTED_PROXIES wrote it: the
    address is the last one in the chain that is not such a proxy. For a caller who is trusted (a shop's own server,
    which has proven itself) it is the one before that: the shopper's."""
    told = request.META
    forwarded = told.get("HTTP_X_FORWARDED_FOR")
    chain = [*(forwarded.split(",") if forwarded else ()), told.get("REMOTE_ADDR", "")]
    address, strangers = "", 2 if is_caller_trusted else 1
    for text in reversed(chain):
        try:
            each = unmapped(text.strip())
        except ValueError:
            break
        address = str(each).partition("%")[0]  # of a link-local address, the interface is ours and says nothing
        strangers -= not _is_proxy(each)
        if not strangers:
            break
    user_agent = told.get("HTTP_USER_AGENT", "").replace("\0", "")
    return Client(address=address, user_agent=user_agent[:255])


def client_of_tenant(request: HttpRequest, client: Client, tenant: Tenant) -> Client:
    """The same caller, or the shopper whose address one of the tenant's own servers forwards (`server_networks`)."""
    if not tenant.server_networks or not client.address:
        return client
    address = ip_address(client.address)
    is_own = any(address in network for network in networks(tenant.server_networks))
    return client_of(request, is_caller_trusted=True) if is_own else client


def is_from_proxy(request: HttpRequest) -> bool:
    """Whether one of TRUSTED_PROXIES handed the request over."""
    try:
        address = unmapped(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return _is_proxy(address)


def _is_proxy(address: IPv4Address | IPv6Address) -> bool:
    for network in settings.TRUSTED_PROXIES:  # noqa: SIM110 - a generator for each request costs more than the rest
        if address in network:
            return True
    return False
