"""E-mail addresses: the one spelling that a mailbox is known by, and the one that a mail server is given.

A mailbox has many spellings: capitals, full-width letters, a domain in its own script or in Punycode, soft hyphens
from a page that it was copied from. The domain is mapped by UTS 46 to IDNA 2008, so `straße.example` stays apart from
`strasse.example`; the part before the @ is ASCII, and its capitals don't count. No name server is asked.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from email_validator import validate_email

from tenants.errors import FieldError

MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
LONGEST_INPUT = 1000  # characters; an address is not longer, whatever is ignored in it
# What UTS 46 ignores in a domain and copying from pages leaves behind: soft hyphens, zero-width spaces, marks of
# direction. Not the joiners, which tell two domains apart in some scripts.
IGNORED = "\u00ad\u034f\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
AROUND = re.compile(rf"^[\s{IGNORED}]+|[\s{IGNORED}]+$")
WITHIN_DOMAIN = re.compile(f"[{IGNORED}]+")
ASCII_CAPITALS = re.compile("[A-Z]+")
# A part before the @ that needs no library: RFC 5321's Dot-string, of the characters that nearly all consist of.
PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*", re.ASCII)
LOCAL_MAX_LENGTH = 64  # RFC 5321, 4.5.3.1.1
DOMAINS_KEPT = 2048  # a shop's customers are at a few hundred domains, and checking one takes most of the time


@dataclass(frozen=True, kw_only=True)
class _Address:
    """An address in parts: the domain in its own script and, for mail servers, in Punycode ("" for a part before the @
    that no server takes)."""

    local: str
    domain: str
    ascii_email: str


def normalize_email(text: str) -> str:
    """The address as it is stored, compared and counted. What is no address comes out trimmed, its ASCII letters in
    lower case, and is still none."""
    trimmed = AROUND.sub("", text)
    found = _parsed(trimmed)
    if found is None:
        return ASCII_CAPITALS.sub(lambda capitals: capitals[0].lower(), trimmed)
    return f"{found.local.lower()}@{found.domain}"


def email_errors(field: str, email: str) -> list[FieldError]:
    """What is wrong with a normalized e-mail address; empty when it is valid."""
    if len(email) > MAX_LENGTH:
        return [FieldError(field=field, code="max_length", message=f"At most {MAX_LENGTH} characters.")]
    if _parsed(email) is None:
        return [FieldError(field=field, code="invalid", message="Enter a valid e-mail address.")]
    return []


def in_ascii(email: str) -> str:
    """The address as every mail server takes it, its domain in Punycode. What is no address stays as it is."""
    found = _parsed(email)
    return found.ascii_email or email if found else email


def _parsed(text: str) -> _Address | None:
    local, at, domain = text.rpartition("@")
    if not at or len(text) > LONGEST_INPUT:
        return None
    if len(local) > LOCAL_MAX_LENGTH or not PLAIN_LOCAL.fullmatch(local):
        return _by_library(local, domain)
    known = _at_domain(domain)
    ascii_email = f"{local}@{known.ascii_email.partition('@')[2]}" if known else ""
    if known is None or len(ascii_email) > MAX_LENGTH:
        return None
    return _Address(local=local, domain=known.domain, ascii_email=ascii_email)


@lru_cache(maxsize=DOMAINS_KEPT)
def _at_domain(domain: str) -> _Address | None:
    return _by_library("a", domain)


def _by_library(local: str, domain: str) -> _Address | None:
    bare = f"{local}@{WITHIN_DOMAIN.sub('', domain)}"
    try:
        found = validate_email(bare, allow_smtputf8=False, check_deliverability=False, test_environment=True)
    except ValueError:  # the library's own failures, and what Unicode can't encode
        return None
    return _Address(local=found.local_part, domain=found.domain, ascii_email=found.ascii_email or "")
