"""Examples for the contract's document."""

from collections.abc import Mapping

from auth_providers.api.emporix.records import CUSTOMER_SCOPES
from tenants.api.emporix.base import INVALID_TOKEN_FAULT, TYPES
from tenants.api.examples import Examples
from tenants.json_values import Json

ACCESS_TOKEN, REFRESH_TOKEN = "q3Gf0k2m7dVtWnZx81uYbLhSc4RJp6Ea", "Zt8PvX5rN1oKcQyD7wUeGm2HsB9LfJ3i"
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMDAwMDAwMSJ9.c2lnbmF0dXJl"
CODE, HANDLE = "473920", "7c1e0b53a9f84d2c8b6e"
EMAIL, PASSWORD = "ada@example.com", "password123"
SESSION = "3f2b8a56-6d0c-4f7e-9a55-0d3c4a1b7e21"
ADDRESS: dict[str, Json] = {
    "contactName": "Ada Lovelace",
    "street": "Unter den Linden",
    "streetNumber": "7",
    "zipCode": "10117",
    "city": "Berlin",
    "country": "DE",
    "tags": ["SHIPPING"],
}
PROFILE: dict[str, Json] = {"firstName": "Ada", "lastName": "Lovelace", "preferredCurrency": "EUR"}
CHALLENGE: dict[str, Json] = {"challengeId": SESSION, "challengeCode": CODE}

VALUES: dict[str, Json] = {
    **ADDRESS,
    **PROFILE,
    # parameters and headers
    "tenant": "acme",
    "Emporix-Tenant": "acme",
    "hybris-tenant": "acme",
    "client_id": "storefront",
    "currency": "EUR",
    "siteCode": "main",
    "language": "en",
    "targetLocation": "DE",
    "session-id": SESSION,
    "expand": "addresses",
    "query.tags": "SHIPPING",
    "addressId": "5f0c9a1b2d",
    "Prefer": "return=minimal",
    "code": "SplxlOBeZQQYbYS6WxSbIA",
    "query.state": "google--f81c4b",
    "provider": "google",
    "config": "partner",
    "redirect_uri": "https://shop.example/callback",
    "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "subjectAccessToken": JWT,
    "anonymous_token": ACCESS_TOKEN,
    "token": REFRESH_TOKEN,
    "legalEntityId": "",
    "Retry-After": 30,
    # tokens
    "access_token": ACCESS_TOKEN,
    "accessToken": ACCESS_TOKEN,
    "saas_token": JWT,
    "saasToken": JWT,
    "refresh_token": REFRESH_TOKEN,
    "refreshToken": REFRESH_TOKEN,
    "subject_access_token": JWT,
    "social_access_token": "ya29.a0AfH6SMBx",
    "social_id_token": JWT,
    "session_idle_time": 1440,
    "scope": " ".join([*CUSTOMER_SCOPES, "tenant=acme"]),
    "initialPassword": False,
    "expiresIn": 2591999,
    "refreshTokenExpiresIn": 86399,
    "expires_in": 2591999,
    "AnonymousToken.expires_in": 3599,
    "SocialLogInTokens.expires_in": "2591999",
    "refresh_token_expires_in": 86399,
    "SocialLogInTokens.refresh_token_expires_in": "86399",
    # what a log-in asks for besides
    "handle": HANDLE,
    "methods": ["totp"],
    "maskedDestination": "a*****@example.com",
    "method": "email",
    "CodeChallenge.id": SESSION,
    "CodeChallenge.type": "otp",
    # the profile
    "id": "10000001",
    "customerNumber": "10000001",
    "contactEmail": EMAIL,
    "email": EMAIL,
    "title": "MS",
    "middleName": "King",
    "contactPhone": "+49 30 901820",
    "company": "Analytical Engines Ltd",
    "preferredLanguage": "en",
    "preferredSite": "main",
    "companyRegistrationId": "HRB 12345",
    "mixins": {},
    "providerId": "google-oauth2|1094",
    "contactAssignmentId": "8d3f0a4c",
    "name": "Analytical Engines Ltd",
    "companyName": "Analytical Engines Ltd",
    "streetAppendix": "rear building",
    "state": "Berlin",
    "extraLine1": "Floor 2",
    "extraLine2": "Bell: Lovelace",
    "extraLine3": "",
    "extraLine4": "",
    "AccountId": {"id": EMAIL},
    # failures
    "errorcode": INVALID_TOKEN_FAULT[1],
    "faultstring": INVALID_TOKEN_FAULT[0],
    "details": [{"field": "email", "type": "required", "message": "This field is required."}],
}

REQUESTS: dict[str, Json] = {
    "PATCH-customer-update-customer": {"firstName": "Augusta", "metadata": {"version": 1}},
    "PUT-customer-update-customer": {"firstName": "Augusta"},
    "POST-customer-add-address": ADDRESS,
    "PATCH-customer-update-customer-address": {"city": "Potsdam", "zipCode": "14467"},
    "PUT-customer-update-customer-address": {"city": "Potsdam", "zipCode": "14467"},
    "POST-oauth-refresh-anonymous-access-token": {
        "tenant": "acme",
        "client_id": "storefront",
        "refresh_token": REFRESH_TOKEN,
    },
    "POST-customer-create-customer-account": {
        "email": EMAIL,
        "password": PASSWORD,
        "customerDetails": PROFILE,
        "customerAddress": ADDRESS,
    },
    "POST-customer-authenticate-customer": {"email": EMAIL, "password": PASSWORD},
    "POST-customer-logout-customer": {"accessToken": ACCESS_TOKEN},
    "POST-customer-refresh-authtoken": {"refreshToken": REFRESH_TOKEN},
    "POST-customer-request-reset-password": {"email": EMAIL},
    "POST-customer-reset-password": {"token": REFRESH_TOKEN, "password": "another battery staple"},
    "POST-customer-confirm-customer-login-email": {"token": REFRESH_TOKEN},
    "POST-customer-refresh-token": {"email": EMAIL},
    "POST-customer-assign-customer-account": {"email": "ada.private@example.com", "password": PASSWORD},
    "POST-customer-change-customer-login-email": {
        "email": EMAIL,
        "password": PASSWORD,
        "newEmail": "countess@example.com",
        "syncContactEmail": True,
    },
    "POST-customer-change-account-password": {"currentPassword": PASSWORD, "newPassword": "another battery staple"},
    "POST-customer-login-customer-by-auth0": {"user": {"name": {"firstName": "Ada", "lastName": "Lovelace"}}},
    "POST-customer-exchange-authtoken": {"subjectAccessToken": JWT, "config": "partner"},
}


def _refusal(status: int) -> Mapping[str, Json]:
    told: dict[str, Json] = {"type": TYPES.get(status, "Forbidden")}
    return told


EXAMPLES = Examples(
    values=VALUES,
    requests=REQUESTS,
    refusal=_refusal,
    of_demo={
        "tenant": "tenant",
        "Emporix-Tenant": "tenant",
        "hybris-tenant": "tenant",
        "client_id": "client_id",
    },
)
