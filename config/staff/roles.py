"""What each role of staff may do: the rights that Django's admin asks for, by role.

Roles are the only source of rights. Users' and groups' own, which Django would count for every tenant, count nothing;
superusers are the operators and may do everything.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model

from tenants.models import Role

ALL = ("view", "add", "change", "delete")
# What a role may do beyond what those before it may.
ADDED: Mapping[Role, Mapping[str, tuple[str, ...]]] = {
    Role.VIEWER: {
        "customers.customer": ("view",),
        "customers.segment": ("view",),
        "customers.legalentity": ("view",),
        "customers.contactassignment": ("view",),
        "tenants.auditevent": ("view",),
        "tenants.message": ("view",),
        "tenants.mailsuppression": ("view",),
    },
    Role.SUPPORT: {"customers.customer": ("change",), "tenants.mailsuppression": ("add", "delete")},
    Role.MANAGER: {
        "customers.customer": ("delete",),
        "customers.segment": ALL,
        "customers.legalentity": ALL,
        "customers.contactassignment": ALL,
        "auth_providers.messagetemplate": ALL,
        "auth_providers.authprovider": ("view",),
        "auth_providers.flow": ("view",),
        "auth_providers.webhookendpoint": ("view",),
    },
    Role.OWNER: {
        "customers.mixinschema": ALL,
        "auth_providers.authprovider": ALL,
        "auth_providers.flow": ALL,
        "auth_providers.webhookendpoint": ALL,
        "tenants.tenant": ("view", "change"),
        "tenants.site": ALL,
        "tenants.apikey": ALL,
        "tenants.staffmembership": ALL,
        "tenants.staffinvitation": ("view", "add", "delete"),
    },
}


def _rights(role: Role) -> Iterator[str]:
    for each in Role:
        if each.rank <= role.rank:
            for model, verbs in ADDED[each].items():
                app, name = model.split(".")
                yield from (f"{app}.{verb}_{name}" for verb in verbs)


RIGHTS = {role: frozenset(_rights(role)) for role in Role}


class StaffBackend(ModelBackend):
    """Logs staff in by user name and password; their rights are those of their role at the tenant of the switcher."""

    def get_all_permissions(self, user_obj: AbstractBaseUser | AnonymousUser, obj: Model | None = None) -> set[str]:
        role: Role | None = getattr(user_obj, "role_here", None)  # the middleware says so
        return set(RIGHTS[role]) if role and user_obj.is_active else set()

    def _get_permissions(self, user_obj: Any, obj: Any, from_name: str) -> set[str]:
        return self.get_all_permissions(user_obj, obj)
