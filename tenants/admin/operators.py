"""Users of the back office, for operators. What staff may do comes from their roles, so that there are no groups."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group, User
from social_django.models import Association, Nonce, UserSocialAuth

from tenants.back_office.rows import WritesChanges

for model in (Group, User, Association, Nonce, UserSocialAuth):
    admin.site.unregister(model)


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg] # which it takes in its stubs alone
    """Nothing but the password is written."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


@admin.register(User)
class OperatorsUserAdmin(WritesChanges[User], UserAdmin[User]):
    """Without the rights of Django's own, which count nothing (`config/staff/roles.py`)."""

    change_password_form = PasswordForm

    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("May", {"fields": ["is_active", "is_staff", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ("last_login", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active")
    filter_horizontal = ()
