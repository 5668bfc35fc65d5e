"""Enrichment of contact points: the e-mail address and the telephone number in the form they are compared in."""

from customers.enrichment import countries, phones
from customers.enrichment.draft import Draft
from customers.spelling.emails import email_errors, normalize_email


def normalize_contact_email(draft: Draft) -> None:
    """The one spelling of the mailbox."""
    email = normalize_email(draft.text("email"))
    if email:
        draft.values["email"] = email
        draft.errors += email_errors("email", email)


def normalize_phone(draft: Draft) -> None:
    """E.164. A number without a country code is dialled from the address's country, else from the tenant's."""
    phone = draft.text("phone")
    if phone and not (draft.is_refused("country") and not phone.startswith("+")):
        country = draft.text("country") or countries.find_code(draft.tenant.default_country)
        draft.normalize("phone", phones.to_e164(phone, country=country), "Enter a phone number that can be dialled.")
