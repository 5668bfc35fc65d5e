"""Who works for the tenant, and in which role: for its owners, and for operators."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from tenants.back_office import returning
from tenants.back_office.rows import TenantRowAdmin
from tenants.back_office.staff import by, tenant_of
from tenants.errors import DomainError
from tenants.models import Role, StaffInvitation, StaffMembership
from tenants.staff import invitations, memberships, second_factor
from tenants.staff.memberships import By


class MembershipForm(forms.ModelForm[StaffMembership]):
    """A colleague, by user name, and the role."""

    acting: By  # set by the page
    username = forms.CharField(max_length=150, label="User name", help_text="Of a member of staff who has one already.")

    class Meta:
        model = StaffMembership
        fields: ClassVar[list[str]] = ["tenant", "role"]

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        user = User.objects.filter(username=name, is_staff=True, is_active=True).first()
        if user is None:
            raise forms.ValidationError("No member of staff has this user name.")
        if user.pk == self.acting.user_id:
            raise forms.ValidationError("Nobody gives a role to themselves.")
        self.instance.user = user
        return name


@admin.register(StaffMembership)
class StaffMembershipAdmin(TenantRowAdmin[StaffMembership]):
    """Unconfined: users belong to no tenant."""

    is_confined = False
    form = MembershipForm
    list_display = ["username", "email", "role", "created_at"]
    list_select_related = ["user"]
    fields = ["tenant", "username", "role"]
    actions = None

    def get_readonly_fields(self, request: HttpRequest, obj: StaffMembership | None = None) -> list[str]:
        return ["username"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        reset = path(
            "<int:membership_id>/reset/",
            self.admin_site.admin_view(self.reset_view),
            name="tenants_staffmembership_reset",
        )
        return [reset, *super().get_urls()]

    @method_decorator(require_POST)
    def reset_view(self, request: HttpRequest, membership_id: int) -> HttpResponse:
        """For a colleague who has lost the app and the recovery codes."""
        membership = self.get_object(request, str(membership_id))
        if membership is None:
            raise Http404
        if not self.has_change_permission(request, membership):
            raise PermissionDenied
        name = membership.user.get_username()
        try:
            second_factor.reset(membership=membership, username=name, by=by(request))
        except DomainError:
            said = f"{name} also works where you are no owner: an operator has to do it."
            self.message_user(request, said, messages.ERROR)
        else:
            self.message_user(request, f"{name} sets up another app at the next log-in.", messages.SUCCESS)
        return returning.back(request, reverse("admin:tenants_staffmembership_change", args=[membership.pk]))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.acting = by(request)
        return form

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffMembership]:
        return super().get_queryset(request).select_related("user")

    def has_change_permission(self, request: HttpRequest, obj: StaffMembership | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_deal_with(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: StaffMembership | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_deal_with(request, obj)

    def _may_deal_with(self, request: HttpRequest, obj: StaffMembership | None) -> bool:
        acting = by(request)
        return obj is None or (obj.user_id != acting.user_id and acting.may_deal_with(Role(obj.role)))

    @admin.display(description="user name")
    def username(self, membership: StaffMembership) -> str:
        return membership.user.get_username()

    @admin.display(description="e-mail")
    def email(self, membership: StaffMembership) -> str:
        return membership.user.email

    def save_model(self, request: HttpRequest, obj: StaffMembership, form: Any, change: bool) -> None:
        """The core decides, and writes the trail."""
        tenant = tenant_of(request)
        if tenant is None:
            return
        given = memberships.give_role(
            tenant=tenant, user_id=obj.user_id, username=obj.user.username, role=Role(obj.role), by=by(request)
        )
        obj.pk = given.pk

    def delete_model(self, request: HttpRequest, obj: StaffMembership) -> None:
        memberships.take_role(membership=obj, username=obj.user.username, by=by(request))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The core has done it."""

    log_change = log_addition

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The core has done it."""


class InvitationForm(forms.ModelForm[StaffInvitation]):
    """Whom to invite, and for what."""

    acting: By  # set by the page

    class Meta:
        model = StaffInvitation
        fields: ClassVar[list[str]] = ["tenant", "email", "role"]

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        if not self.acting.may_deal_with(Role(role)):
            raise forms.ValidationError("You can give roles up to your own.")
        return role

    def validate_constraints(self) -> None:
        """A new invitation takes the place of the one that the address has."""


@admin.register(StaffInvitation)
class StaffInvitationAdmin(TenantRowAdmin[StaffInvitation]):
    """Invited and withdrawn, never changed."""

    form = InvitationForm
    list_display = ["email", "role", "created_at", "state"]
    fields = ["tenant", "email", "role"]
    actions = None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.acting = by(request)
        return form

    @admin.display
    def state(self, invitation: StaffInvitation) -> str:
        if invitation.spent_at:
            return "accepted"
        return "waiting" if invitation.expires_at > timezone.now() else "expired"

    def has_change_permission(self, request: HttpRequest, obj: StaffInvitation | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: StaffInvitation, form: Any, change: bool) -> None:
        """The core decides, writes the mail and the trail."""
        tenant = tenant_of(request)
        if tenant is not None:
            invited = invitations.invite(tenant=tenant, email=obj.email, role=Role(obj.role), by=by(request))
            obj.pk = invited.pk

    def delete_model(self, request: HttpRequest, obj: StaffInvitation) -> None:
        invitations.withdraw(invitation=obj, by=by(request))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The core has done it."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The core has done it."""
