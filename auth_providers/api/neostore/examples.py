"""Examples for the contract's document."""

from tenants.api.examples import Examples
from tenants.api.problems import refusal_example
from tenants.json_values import Json

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMDAwMDAwMSJ9.c2lnbmF0dXJl"
DATA: dict[str, Json] = {
    "email": "ada@example.com",
    "phoneNumber": "+493090182000",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "birthDate": "1990-12-31",
    "postcode": "10117",
    "country": "DE",
    "consents_email": True,
    "identifiers": {"loyaltyCard": "4711"},
}
STORED: dict[str, Json] = {
    **DATA,
    "city": "Berlin",
    "language": "de",
    "currency": "EUR",
    "storeId": "main",
    "isProspect": False,
    "isActivated": True,
    "identifiers": {"loyaltyCard": "4711", "customerNumber": "10000001"},
}
EXAMPLES = Examples(
    values={
        "tenantId": "acme",
        "flow": "preregistration",
        "provider": "password",
        "Retry-After": 30,
        "customer-get.200": {**STORED, "sub": "10000001", "tenant": "acme", "provider": "password"},
        "customer-post.200": {**STORED, "enriched": ["city", "language", "currency", "storeId"]},
        "customer-authenticate.200": JWT,
        "challengeId": "3f2b8a56-6d0c-4f7e-9a55-0d3c4a1b7e21",
        "maskedDestination": "a*****@example.com",
        "type": "otp",
        "channel": "email",
        "instance": "/api/acme/customer",
    },
    requests={
        "customer-post": DATA,
        "customer-authenticate": {"email": "ada@example.com", "password": "password123"},
    },
    refusal=refusal_example,
    messages=("detail",),
    of_demo={"tenantId": "tenant"},
)
