"""Customers: profiles, addresses, and what a shop records about them."""

from customers.models.profile import NUMBER_DIGITS, TEXT_MAX_LENGTH, THERE, Address, Customer, CustomerNumber
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

__all__ = [
    "NUMBER_DIGITS",
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
    "Segment",
    "SegmentMembership",
]
