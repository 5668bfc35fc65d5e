"""Requests whose fields have values of every type, size and encoding; the rest of them is what succeeds."""

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from tenants.models import CheckIn
from tests.contracts.operations import Operation

ADDRESS_FIELDS = ["id", "contactName", "country", "street", "tags", "isDefault", "metadata", "mixins"]
FIELDS = {
    "signup": ["email", "password", "customerDetails", "customerAddress", "signup"],
    "login": ["email", "password", "secondFactorCode", "secondFactorHandle"],
    "authenticator-confirm": ["code"],
    "authenticate": ["email", "password"],
    "customer-post": [
        *("email", "phoneNumber", "firstName", "sex", "birthDate", "postcode", "zipCode", "country", "address"),
        *(
            "nationality",
            "isProspect",
            "language",
            "currency",
            "consents_email",
            "identifiers",
            "challenge",
            "shoeSize",
        ),
    ],
    "authenticate-otp": ["channel", "to"],
    "authenticate-code": ["challengeId", "code"],
    "authenticate-social": ["idToken", "accessToken", "code", "redirectUri", "codeVerifier", "nonce"],
    "authenticate-jwt": ["accessToken"],
    "me-patch": ["firstName", "contactEmail", "preferredCurrency", "b2b", "metadata", "mixins", "id", "accounts"],
    "me-put": ["title", "customerNumber", "preferredLanguage", "preferredSite", "contactPhone", "company"],
    "logout-post": ["accessToken"],
    "refreshauthtoken-post": ["refreshToken", "legalEntityId"],
    "address-create": ADDRESS_FIELDS,
    "address-patch": ADDRESS_FIELDS,
    "address-put": ADDRESS_FIELDS,
    "log-in-add": ["email", "password", "currentPassword"],
    "email-change": ["email", "password", "newEmail", "syncContactEmail"],
    "email-confirm": ["token"],
    "password-reset": ["email", "site"],
    "password-reset-update": ["token", "password"],
    "password-change": ["currentPassword", "newPassword"],
    "opt-in-refresh": ["email"],
    "anonymous-refresh-post": ["refresh_token", "anonymous_token", "tenant", "client_id"],
    "exchange-post": ["subjectAccessToken", "config"],
    "kibo-oauth": ["client_id", "client_secret", "grant_type"],
    "kibo-ticket": ["applicationId", "sharedSecret"],
    "kibo-password": ["username", "password", "fingerprint", "region"],
    "kibo-otp-request": ["email"],
    "kibo-otp-auth": ["email", "otpCode", "fingerprint", "region"],
    "kibo-2fa-request": ["userId"],
    "kibo-2fa-auth": ["userId", "otpCode"],
}
PARTS = {
    "customerDetails": ["contactEmail", "firstName", "preferredCurrency", "b2b", "metadata", "mixins"],
    "customerAddress": ["id", "contactName", "country", "tags", "mixins", "isDefault"],
    "signup": ["email", "password"],
    "b2b": ["companyRegistrationId", "legalEntities"],
    "metadata": ["version", "mixins"],
    "identifiers": ["card", "customerNumber", "a b"],
    "challenge": ["id", "code"],
}
POLICIES = [policy.value for policy in CheckIn]
EVERY_FIELD = sorted({name for names in (*FIELDS.values(), *PARTS.values()) for name in names})
QUERY = (
    *("tenant", "hybris-tenant", "client_id", "refresh_token", "anonymous_token", "currency", "siteCode"),
    *("language", "targetLocation", "expand", "tags", "token", "refreshToken", "legalEntityId", "accessToken", "code"),
    *("state", "provider", "flow", "responseFields", "redirect_uri", "code_verifier", "subjectAccessToken"),
    "config",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32-le", "latin-1", "cp037", "shift_jis")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What is changed in a request that succeeds."""

    fields: Mapping[str, Any]
    encoding: str
    is_escaped: bool
    query: Mapping[str, str]
    policy: str

    def path_of(self, operation: Operation) -> str:
        """The path of the prepared operation, with the query."""
        query = urlencode(self.query, errors="surrogatepass")
        return f"{operation.path}{'&' if '?' in operation.path else '?'}{query}" if query else operation.path

    def body_of(self, operation: Operation) -> bytes:
        """All fields as JSON in this encoding, which is not always one that JSON may have."""
        text = json.dumps({**(operation.json or {}), **self.fields}, ensure_ascii=self.is_escaped)
        return text.encode(self.encoding, "surrogatepass" if self.encoding.startswith("utf") else "replace")


def nested(depth: int, key: str) -> Any:
    """Arrays in each other, or objects under this key."""
    value: Any = "x"
    for _ in range(depth):
        value = {key: value} if key else [value]
    return value


# Texts that mean something somewhere, beside any others.
SPECIAL = ["", " ", "\0", "\ud800", "a@b.de", "A@STRASSE.de", "ada@example.com", "+491711234567", "٣٣", "1e999", "null"]
SPECIAL += ["2024-02-30", "0001-01-01", "9999-12-31T23:59:60Z", "zz", "DE", "EUR", "de-DE", "../..", "%00", "{token}"]
SPECIAL += ["preregistration", "activation", "password", "otp", "oidc", "jwt", "default--x", "userId,items(id("]
SPECIAL += ["00000000-0000-4000-8000-000000000000", "e" * 64, "eyJ.eyJ.x", "\u202e", "İ@x.de", "e\u0301" * 200]
SIZES = (1, 255, 256, 1000, 5000, 40_000)
numbers = st.sampled_from([0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63), 0.1, 1e308, -0.0, 10**400])
texts = (
    st.sampled_from(SPECIAL)
    | st.text(max_size=40)
    | st.builds(operator.mul, st.sampled_from("aß€😀\t"), st.sampled_from(SIZES))
)
scalars = st.none() | st.booleans() | numbers | texts
names = st.sampled_from(EVERY_FIELD) | st.text(max_size=8)
deep = st.builds(nested, st.integers(1, 40), st.sampled_from(["", "email", "password"]))
many = st.builds(lambda value, size: [value] * size, st.sampled_from([None, 1, "x", {}]), st.sampled_from([50, 1001]))
containers = st.lists(scalars, max_size=4) | st.dictionaries(names, scalars, max_size=4) | deep | many
values = scalars | containers


def of_field(name: str) -> st.SearchStrategy[Any]:
    """A value of any type; of a field that has parts, also an object with some of them."""
    inner: dict[Any, st.SearchStrategy[Any]] = {part: of_field(part) for part in PARTS.get(name, [])}
    return st.fixed_dictionaries({}, optional=inner) | values if inner else values


def requests_of(operation: Operation) -> st.SearchStrategy[Sent]:
    """One, some or all of the operation's fields with other values, in the body or the query, and further ones."""
    known: dict[Any, st.SearchStrategy[Any]] = {name: of_field(name) for name in FIELDS.get(operation.name, [])}
    alone = [st.fixed_dictionaries({name: value}) for name, value in known.items()]
    others = st.dictionaries(names, values, max_size=3)
    return st.builds(
        Sent,
        fields=st.one_of(*alone, st.fixed_dictionaries({}, optional=known), others),
        encoding=st.just("utf-8") | st.sampled_from(ENCODINGS),
        is_escaped=st.booleans(),
        query=st.just({}) | st.dictionaries(st.sampled_from(QUERY), texts, max_size=2),
        policy=st.sampled_from(POLICIES),
    )
