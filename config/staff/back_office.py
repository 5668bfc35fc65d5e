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

from config.staff import access, single_sign_on, start_page
from config.staff.log_in import StaffLoginForm
from tenants import isolation, replicas
from tenants.api.caller import client_of
from tenants.back_office.rows import OfTenant
from tenants.back_office.staff import SESSION_KEY, tenant_of, workplace_of
from tenants.models import TenantOwned
from tenants.staff import memberships
from tenants.trail import staff_trail

# The menu: its parts, and the pages of each, by their models.
MENU = {
    "Customers": ("Customer", "Segment", "LegalEntity"),
    "Mail": ("Message", "MailSuppression", "MessageTemplate"),
    "Shop set-up": ("Tenant", "AuthProvider", "ApiKey", "Flow", "WebhookEndpoint", "MixinSchema", "PostalCode"),
    "Staff": ("StaffMembership", "StaffInvitation", "User", "StaffAuthenticator"),
    "Trail": ("AuditEvent", "StaffEvent"),
}
TITLES = {
    "LegalEntity": "Companies",
    "Message": "Outbox",
    "MailSuppression": "Suppression list",
    "MessageTemplate": "Texts of mails",
    "Tenant": "Shops",
    "AuthProvider": "Log-in methods",
    "ApiKey": "API keys",
    "WebhookEndpoint": "Webhooks",
    "MixinSchema": "Schemas",
    "StaffMembership": "Who works for the shop",
    "StaffInvitation": "Invitations",
    "StaffAuthenticator": "Second factors",
    "AuditEvent": "Audit trail",
    "StaffEvent": "Log-ins of staff",
}
View = Callable[..., HttpResponse]
WRITTEN_AT = "written_at"  # of a session: where the database's log was after what its member of staff did last


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
        return not settings.STAFF_SECOND_FACTOR or access.is_verified(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page about rows of tenants runs confined to the tenant of the switcher. Lists and the start page are
        read from a replica, where there is one."""
        return super().admin_view(_replicated(self._confined_view(view)), cacheable)

    def _confined_view(self, view: Any) -> Any:
        page = getattr(view, "__self__", None)
        if page is self and view.__name__ == "autocomplete_view":
            return _confined(view)
        if isinstance(page, OfTenant) and page.is_confined:
            return _confined(view, model=page.model)
        return view

    def get_urls(self) -> list[Any]:
        """Without Django's redirect to the page of any object of any kind."""
        urls = [each for each in super().get_urls() if getattr(each, "name", "") != "view_on_site"]
        ours: list[URLPattern] = [
            path("switch/", self.admin_view(self.switch_view), name="switch"),
            # For who has no access yet, or no second factor.
            path("invitation/", access.InvitationView.as_view(site=self), name="invitation"),
            path("second-factor/", access.EnrolmentView.as_view(site=self), name="second_factor"),
            path("code/", access.CodeView.as_view(site=self), name="second_factor_code"),
            path("single-sign-on/", single_sign_on.StartView.as_view(site=self), name="single_sign_on"),
            path(
                "single-sign-on/complete/",
                single_sign_on.CompleteView.as_view(site=self),
                name="single_sign_on_complete",
            ),
        ]
        return [*ours, *urls]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Whoever has logged in and has shown no second factor yet is asked for one next."""
        if request.method == "GET" and access.has_to_enrol(request):
            return HttpResponseRedirect(reverse("admin:second_factor"))
        if request.method == "GET" and access.has_to_show_code(request):
            return HttpResponseRedirect(reverse("admin:second_factor_code"))
        offered = {"provider": settings.STAFF_SINGLE_SIGN_ON, "has_passwords": settings.STAFF_PASSWORDS}
        return super().login(request, {**offered, **(extra_context or {})})

    @method_decorator(require_POST)
    def switch_view(self, request: HttpRequest) -> HttpResponse:
        """Work for another tenant from now on."""
        user, code = cast(User, request.user), request.POST.get("code", "").replace("\0", "").strip().lower()
        tenant = memberships.find_offered(user_id=user.pk, is_operator=user.is_superuser, code=code)
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
            with isolation.Confinement(tenant):
                shown = {
                    "tiles": start_page.tiles(tenant),
                    "plots": start_page.plots(tenant),
                    "shares": start_page.shares(tenant),
                }
                if request.user.has_perm("tenants.change_tenant"):
                    shown["lacking"] = start_page.lacking(tenant)
        return super().index(request, {**shown, **(extra_context or {})})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With the title of the list that the page belongs to, as the menu has it."""
        page = request.resolver_match.url_name or "" if request.resolver_match else ""
        lists = [model for model in self._registry if page.startswith(f"{model._meta.label_lower.replace('.', '_')}_")]
        title = _title_of(lists[0].__name__, str(lists[0]._meta.verbose_name_plural)) if lists else ""
        return {**super().each_context(request), "workplace": workplace_of(request), "list_title": title}

    def logout(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Leaving is on the staff's trail, too."""
        if request.method == "POST" and request.user.is_authenticated:
            staff_trail.record(
                action=staff_trail.LOG_OUT, username=request.user.get_username(), client=client_of(request)
            )
        return super().logout(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The menu, in parts that staff know; the pages of one app by its own name."""
        apps = super().get_app_list(request, app_label)
        pages = {page["object_name"]: page for app in apps for page in app["models"]}
        for name, page in pages.items():
            page["name"] = _title_of(name, page["name"])
        if app_label:
            return apps
        parts = [(title, [pages[name] for name in names if name in pages]) for title, names in MENU.items()]
        return [
            {
                "name": title,
                "app_label": title.lower().replace(" ", "-"),
                "app_url": own[0]["admin_url"],
                "has_module_perms": True,
                "models": own,
            }
            for title, own in parts
            if own
        ]


# The views that only show what may be some seconds old.
REPLICATED = ("changelist_view", "index", "autocomplete_view")


def _replicated(view: View) -> View:
    """The view, reading from a replica that has what this member of staff wrote before."""

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in ("GET", "HEAD") and getattr(view, "__name__", "") in REPLICATED:
            written_at = request.session.get(WRITTEN_AT, replicas.NOWHERE)
            return replicas.read(lambda: _rendered(view(request, *args, **kwargs)), after=written_at)
        response = view(request, *args, **kwargs)
        if request.method == "POST" and settings.DATABASE_REPLICAS and request.user.is_authenticated:
            request.session[WRITTEN_AT] = replicas.position()
        return response

    return run


def _rendered(response: HttpResponse) -> HttpResponse:
    """With everything that its template asks the database for."""
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _title_of(name: str, otherwise: str) -> str:
    """What staff call the list of this model."""
    return TITLES.get(name) or f"{otherwise[:1].upper()}{otherwise[1:]}"


def _confined(view: View, model: Any = None) -> View:
    """The view, with everything that it and its template ask the database for confined to the request's tenant."""

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        tenant = tenant_of(request)
        if model is not None:
            ContentType.objects.get_for_model(model)  # Django asks for it on every page, and keeps it
        confinement: AbstractContextManager[None] = isolation.Confinement(tenant) if tenant else nullcontext()
        with confinement:
            return _rendered(view(request, *args, **kwargs))

    return run
