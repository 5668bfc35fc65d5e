"""The back office's pages about log-ins, providers, flows, messages and webhooks."""

from auth_providers.admin import customer_actions, flows, mail, mail_templates, providers, webhooks

__all__ = ["customer_actions", "flows", "mail", "mail_templates", "providers", "webhooks"]
