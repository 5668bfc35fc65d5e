"""The back office's pages about tenants, their staff and the trails."""

from tenants.admin import authenticators, keys, members, operators, shop, trail

__all__ = ["authenticators", "keys", "members", "operators", "shop", "trail"]
