"""The back office's pages about log-ins, providers, flows, messages and webhooks."""

from auth_providers.admin import flows, log_ins, mail, providers, webhooks

__all__ = ["flows", "log_ins", "mail", "providers", "webhooks"]
