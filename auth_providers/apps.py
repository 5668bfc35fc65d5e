"""What the app is called in the back office."""

from importlib import import_module

from django.apps import AppConfig


class AuthProvidersConfig(AppConfig):
    """`auth_providers`, for people."""

    name = "auth_providers"
    verbose_name = "Log-ins and mail"

    def ready(self) -> None:
        """The checks register themselves."""
        import_module("auth_providers.checks")
