"""The back office's pages about tenants, their staff and the trails."""

from tenants.admin import authenticators, members, operators, shop, trail

__all__ = ["authenticators", "members", "operators", "shop", "trail"]
