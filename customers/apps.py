"""What the app is called in the back office."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """`customers`, for people."""

    name = "customers"
    verbose_name = "Customers"
