"""The caller's address, which limits and the audit trail depend on."""

from django.conf import settings
from django.http import HttpRequest

from tenants.clients import Client, unmapped


def client_of(request: HttpRequest, *, is_caller_trusted: bool = False) -> Client:
    """Who calls. `X-Forwarded-For` is believed only as far as the proxies named in TRUSTED_PROXIES wrote it: the
    address is the last one in the chain that is not such a proxy. For a caller who is trusted (a shop's own server,
    which has proven itself) it is the one before that: the shopper's."""
    chain = [*request.META.get("HTTP_X_FORWARDED_FOR", "").split(","), request.META.get("REMOTE_ADDR", "")]
    address, strangers = "", 2 if is_caller_trusted else 1
    for text in reversed(chain):
        try:
            each = unmapped(text.strip())
        except ValueError:
            break
        address = str(each).partition("%")[0]  # of a link-local address, the interface is ours and says nothing
        strangers -= not any(each in network for network in settings.TRUSTED_PROXIES)
        if not strangers:
            break
    user_agent = request.META.get("HTTP_USER_AGENT", "").replace("\0", "")
    return Client(address=address, user_agent=user_agent[:255])


def is_from_proxy(request: HttpRequest) -> bool:
    """Whether one of TRUSTED_PROXIES handed the request over."""
    try:
        address = unmapped(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in network for network in settings.TRUSTED_PROXIES)
