"""Puts the back office's own site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "config.back_office.BackOffice"
