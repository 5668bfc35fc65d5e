"""Customers: profiles, addresses, and what a shop records about them."""

from customers.models.addresses import Address, PostalTexts
from customers.models.profile import TEXT_MAX_LENGTH, THERE, Customer, CustomerNumber
from customers.models.records import (
    Consent,
    ContactAssignment,
    CustomerIdentifier,
    LegalEntity,
    MixinSchema,
    Note,
    PostalCode,
    Segment,
    SegmentMembership,
)
from customers.models.search import SearchWord

__all__ = [
    "TEXT_MAX_LENGTH",
    "THERE",
    "Address",
    "Consent",
    "ContactAssignment",
    "Customer",
    "CustomerIdentifier",
    "CustomerNumber",
    "LegalEntity",
    "MixinSchema",
    "Note",
    "PostalCode",
    "PostalTexts",
    "SearchWord",
    "Segment",
    "SegmentMembership",
]
