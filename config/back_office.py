"""The back office: Django's admin, with a second factor, for one tenant at a time."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from config import staff_access, start_page
from config.staff_login import StaffLoginForm
from tenants import isolation, staff, staff_trail
from tenants.api.caller import client_of
from tenants.back_office.rows import OfTenant
from tenants.back_office.staff import SESSION_KEY, tenant_of, workplace_of
from tenants.models import TenantOwned

# The apps in the order in which staff need them, and what they call those that are not ours.
ORDER = ["customers", "auth_providers", "tenants", "auth"]
TITLES = {"auth": "Operators"}
View = Callable[..., HttpResponse]


class BackOffice(AdminSite):
    site_header = "Patron"
    site_title = "Patron"
    index_title = "Back office"
    site_url = "/"
    enable_nav_sidebar = True
    login_form = StaffLoginForm

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Raises `ImproperlyConfigured` for a page of tenants' rows that would show those of every tenant."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        for page, model in [(admin_class or ModelAdmin, model) for model in models]:
            shown = [model, *(inline.model for inline in page.inlines)]
            bases = [page, *page.inlines]
            for shows, base in zip(shown, bases, strict=True):
                if issubclass(shows, TenantOwned) and not issubclass(base, OfTenant):
                    raise ImproperlyConfigured(f"{base.__name__} has to be based on OfTenant.")
        super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff, and where the deployment asks for it, those whose second factor was seen."""
        if not super().has_permission(request):
            return False
        return not settings.STAFF_SECOND_FACTOR or bool(request.user.is_verified())  # type: ignore[union-attr]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page about rows of tenants runs confined to the tenant of the switcher."""
        page = getattr(view, "__self__", None)
        if page is self and view.__name__ == "autocomplete_view":
            return super().admin_view(_confined(view), cacheable)
        if isinstance(page, OfTenant) and page.is_confined:
            return super().admin_view(_confined(view, model=page.model), cacheable)
        return super().admin_view(view, cacheable)

    def get_urls(self) -> list[Any]:
        """Without Django's redirect to the page of any object of any kind."""
        urls = [each for each in super().get_urls() if getattr(each, "name", "") != "view_on_site"]
        ours: list[URLPattern] = [
            path("switch/", self.admin_view(self.switch_view), name="switch"),
            # For who has no access yet, or no second factor.
            path("invitation/", staff_access.InvitationView.as_view(site=self), name="invitation"),
            path("second-factor/", staff_access.EnrolmentView.as_view(site=self), name="second_factor"),
        ]
        return [*ours, *urls]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Whoever has shown a password and has no second factor yet is asked for one next."""
        if request.method == "GET" and staff_access.has_to_enrol(request):
            return HttpResponseRedirect(reverse("admin:second_factor"))
        return super().login(request, extra_context)

    @method_decorator(require_POST)
    def switch_view(self, request: HttpRequest) -> HttpResponse:
        """Work for another tenant from now on."""
        user, code = cast(User, request.user), request.POST.get("code", "").strip().lower()
        tenant = staff.find_offered(user_id=user.pk, is_operator=user.is_superuser, code=code)
        if tenant is None:
            messages.error(request, "There is no such shop among yours.")
        else:
            request.session[SESSION_KEY] = tenant.pk
        return HttpResponseRedirect(reverse("admin:index"))

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """The start page: what waits for somebody, and what the shop's set-up lacks."""
        tenant = tenant_of(request)
        shown: dict[str, Any] = {}
        if tenant is not None and request.user.has_perm("customers.view_customer"):
            with isolation.confined(tenant):
                shown = {"tiles": start_page.tiles(tenant), "plots": start_page.plots(tenant)}
                if request.user.has_perm("tenants.change_tenant"):
                    shown["lacking"] = start_page.lacking(tenant)
        return super().index(request, {**shown, **(extra_context or {})})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "workplace": workplace_of(request)}

    def logout(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Leaving is on the staff's trail, too."""
        if request.method == "POST" and request.user.is_authenticated:
            staff_trail.record(
                action=staff_trail.LOG_OUT, username=request.user.get_username(), client=client_of(request)
            )
        return super().logout(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["name"] = TITLES.get(app["app_label"], app["name"])
        return sorted(apps, key=lambda app: ORDER.index(app["app_label"]) if app["app_label"] in ORDER else len(ORDER))


def _confined(view: View, model: Any = None) -> View:
    """The view, with everything that it and its template ask the database for confined to the request's tenant."""

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        tenant = tenant_of(request)
        if model is not None:
            ContentType.objects.get_for_model(model)  # Django asks for it on every page, and keeps it
        confinement: AbstractContextManager[None] = isolation.confined(tenant) if tenant else nullcontext()
        with confinement:
            response = view(request, *args, **kwargs)
            return response.render() if isinstance(response, SimpleTemplateResponse) else response

    return run
