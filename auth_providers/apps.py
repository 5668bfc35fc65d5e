"""What the app is called in the back office."""

from django.apps import AppConfig


class AuthProvidersConfig(AppConfig):
    """`auth_providers`, for people."""

    name = "auth_providers"
    verbose_name = "Log-ins and mail"
