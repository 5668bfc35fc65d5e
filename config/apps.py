"""Replaces Django's admin site by the back office."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "config.staff.back_office.BackOffice"
