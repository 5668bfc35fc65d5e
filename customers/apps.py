"""What the app is called in the back office."""

from importlib import import_module

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """`customers`, for people."""

    name = "customers"
    verbose_name = "Customers"

    def ready(self) -> None:
        """The checks register themselves."""
        import_module("customers.checks")
