"""Examples for the contract's document."""

from collections.abc import Mapping

from auth_providers.api.oauth.records import ACCESS_TOKEN, ID_TOKEN
from auth_providers.api.oauth.well_known import TOKEN_EXCHANGE
from tenants.api.examples import Examples
from tenants.json_values import Json

ERRORS = {401: "invalid_client", 429: "temporarily_unavailable", 503: "temporarily_unavailable"}
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMDAwMDAwMSJ9.c2lnbmF0dXJl"


def _refusal(status: int) -> Mapping[str, Json]:
    return {"error": ERRORS.get(status, "invalid_request")}


EXAMPLES = Examples(
    values={
        "tenant": "acme",
        "access_token": "q3Gf0k2m7dVtWnZx81uYbLhSc4RJp6Ea",
        "expires_in": 2591999,
        "refresh_token": "Zt8PvX5rN1oKcQyD7wUeGm2HsB9LfJ3i",
        "issued_token_type": ACCESS_TOKEN,
        "scope": "events",
        "Retry-After": 30,
        "handle": "7c1e0b53a9f84d2c8b6e",
        "methods": ["totp"],
        "channel": "email",
        "masked_destination": "a*****@example.com",
    },
    requests={
        "oauth-token": {
            "grant_type": TOKEN_EXCHANGE,
            "client_id": "storefront",
            "subject_token": JWT,
            "subject_token_type": ID_TOKEN,
            "provider": "partner",
        }
    },
    refusal=_refusal,
    messages=("error_description",),
    of_demo={"tenant": "tenant", "client_id": "client_id"},
)
