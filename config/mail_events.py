"""What the provider that hands our mail over tells of it: mail that came back, and complaints.

django-anymail reads and checks the calls of each provider: the user name and password of `webhook_secret` in
`EMAIL_URL`, and the provider's own signature where its key is set there, too. Without that secret nothing is taken.
"""

import re
from http import HTTPStatus

from anymail import urls as anymail_urls
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType
from anymail.webhooks.base import AnymailBaseWebhookView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from customers.spelling.emails import normalize_email
from tenants.outbox import suppressions

PATH = "mail-events/"
# For good; what is only late or full is not among them.
WHY = {
    EventType.BOUNCED: suppressions.Why.BOUNCED,
    EventType.REJECTED: suppressions.Why.BOUNCED,
    EventType.COMPLAINED: suppressions.Why.COMPLAINED,
}
BACKEND = re.compile(r"anymail\.backends\.(\w+)\.")


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Put the addresses that the call names on the suppression lists of the tenants that mailed them."""
    provider = BACKEND.match(settings.EMAIL_BACKEND)
    if provider is None or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    view = _view_of(provider[1])
    if view is None:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    try:
        view.run_validators(request)
        events = view.parse_events(request)
    except AnymailWebhookValidationFailure:
        return HttpResponse(status=HTTPStatus.FORBIDDEN)
    except (ValueError, KeyError, TypeError, AttributeError):  # not what this provider sends
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    for event in events:
        _note(event)
    return HttpResponse()


def _view_of(provider: str) -> AnymailBaseWebhookView | None:
    """The library's own reader of this provider's calls."""
    name = f"{provider}_tracking_webhook"
    found = next((each.callback for each in anymail_urls.urlpatterns if each.name == name), None)
    return found.view_class() if found is not None else None


def _note(event: AnymailTrackingEvent) -> None:
    why = WHY.get(event.event_type)
    if why is None or not event.recipient:
        return
    # Some providers tell of a full mailbox as they do of one that is not there; complaints quote no mail server.
    if why == suppressions.Why.BOUNCED and suppressions.is_for_good(event.mta_response or "") is False:
        return
    said = event.description or event.mta_response or ""
    suppressions.add_where_mailed(address=normalize_email(event.recipient), why=why, detail=said)
