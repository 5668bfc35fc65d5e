"""`/tenants/{tenant}/account/`: what customers log in with, what they consented to, what happened, and all of it."""

import json
from datetime import timedelta
from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers import limits
from auth_providers.accounts import accounts
from auth_providers.api.account.base import AccountViewSet, caller_of
from auth_providers.api.account.records import Consents, LogIns, SecurityHistory, consents_of, history_of, log_ins_of
from auth_providers.selfservice import data_export
from auth_providers.selfservice.own_account import security_history
from auth_providers.tokens.reauthentication import require_recent_log_in
from customers import consents
from tenants.errors import InvalidInput

RECENT = timedelta(hours=24)


class OwnDataViewSet(AccountViewSet):
    # It is on the trail that the data was handed out.
    changing_gets: ClassVar[frozenset[str]] = frozenset({"download"})

    def log_ins(self, request: Request, **kwargs: Any) -> Response:
        customer, session = caller_of(request)
        every = accounts.of_customer(tenant=self.tenant, customer=customer)
        found: LogIns = log_ins_of(list(every), current=session.account_id)
        return Response(found)

    def consents(self, request: Request, **kwargs: Any) -> Response:
        customer, _ = caller_of(request)
        found: Consents = consents_of(consents.history(tenant=self.tenant, customer=customer))
        return Response(found)

    def history(self, request: Request, **kwargs: Any) -> Response:
        customer, session = caller_of(request)
        page = security_history.read(
            tenant=self.tenant,
            customer=customer,
            before=request.query_params.get("before", ""),
            limit=_limit(request),
        )
        found: SecurityHistory = history_of(page, current=session)
        return Response(found)

    def download(self, request: Request, **kwargs: Any) -> HttpResponse:
        customer, session = caller_of(request)
        require_recent_log_in(session=session, within=RECENT)
        limits.spend(tenant=self.tenant, quota=limits.DATA_EXPORT, subject=customer.number)
        found = data_export.export(tenant=self.tenant, customer=customer, client=self.client)
        return HttpResponse(
            json.dumps(found, cls=DjangoJSONEncoder, ensure_ascii=False),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="customer-{customer.number}.json"'},
        )


def _limit(request: Request) -> int:
    """How many events. Raises `InvalidInput`."""
    text = request.query_params.get("limit", "") or str(security_history.DEFAULT_LIMIT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= security_history.MAX_LIMIT):
        raise InvalidInput.field("limit", f"This is a number from 1 to {security_history.MAX_LIMIT}.")
    return int(text)
