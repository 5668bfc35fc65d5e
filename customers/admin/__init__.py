"""The back office's pages about customers and what belongs to them."""

from customers.admin import customers, records

__all__ = ["customers", "records"]
