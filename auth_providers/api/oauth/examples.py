"""Examples for the contract's document."""

from collections.abc import Mapping

from auth_providers.api.oauth.introspection import SIGNED
from auth_providers.api.oauth.records import ACCESS_TOKEN, ID_TOKEN
from auth_providers.api.oauth.well_known import TOKEN_EXCHANGE
from tenants.api.examples import Examples
from tenants.json_values import Json

ERRORS = {401: "invalid_client", 429: "temporarily_unavailable", 503: "temporarily_unavailable"}
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMDAwMDAwMSJ9.c2lnbmF0dXJl"

SHOWN = {"client_id": "storefront", "client_secret": "secret", "token": "q3Gf0k2m7dVtWnZx81uYbLhSc4RJp6Ea"}


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
        "client_id": "storefront",
        "sub": "10000001",
        "sid": "3f2b8a56-6d0c-4f7e-9a55-0d3c4a1b7e21",
        "amr": ["pwd"],
        "iss": "https://id.example.com/tenants/acme",
        "aud": "acme",
        "iat": 1795685400,
        "exp": 1798277400,
        "auth_time": 1795685400,
        "updated_at": 1795685400,
        "name": "Ada Lovelace",
        "given_name": "Ada",
        "middle_name": "Augusta",
        "family_name": "Lovelace",
        "locale": "en-GB",
        "email": "ada@example.com",
        "phone_number": "+442079460000",
        f"oauth-introspect.200 {SIGNED}": JWT,
    },
    requests={
        "oauth-token": {
            "grant_type": TOKEN_EXCHANGE,
            "client_id": "storefront",
            "subject_token": JWT,
            "subject_token_type": ID_TOKEN,
            "provider": "partner",
        },
        "oauth-introspect": SHOWN,
        "oauth-revoke": SHOWN,
    },
    refusal=_refusal,
    messages=("error_description",),
    of_demo={"tenant": "tenant", "client_id": "client_id"},
)
