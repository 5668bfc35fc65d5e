"""What the app is called in the back office."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """`tenants`, for people."""

    name = "tenants"
    verbose_name = "Tenants"
