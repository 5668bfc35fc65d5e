"""Where a button leads back to: the page of the back office that it was pressed on, with its filter and its place in a
list. The page says so in a field of the form, and in the links to pages with a form of their own."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

FIELD = "next"


def asked(request: HttpRequest, otherwise: str = "") -> str:
    """The page of the back office that the request names; nobody is sent anywhere else."""
    named = request.POST.get(FIELD) or request.GET.get(FIELD, "")
    is_ours = named.startswith(reverse("admin:index")) and url_has_allowed_host_and_scheme(named, allowed_hosts=None)
    return named if is_ours else otherwise


def back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To the page that the request names, or else to this one."""
    return HttpResponseRedirect(asked(request, otherwise))
