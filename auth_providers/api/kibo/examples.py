"""Examples for the contract's document."""

from collections.abc import Mapping

from auth_providers.api.kibo.base import APPLICATION_NAME, CODES, CORRELATION, SITE, TENANT
from auth_providers.api.kibo.response_fields import PARAMETER
from tenants.api.examples import Examples
from tenants.json_values import Json

ACCESS_TOKEN, REFRESH_TOKEN = "q3Gf0k2m7dVtWnZx81uYbLhSc4RJp6Ea", "Zt8PvX5rN1oKcQyD7wUeGm2HsB9LfJ3i"
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMDAwMDAwMSJ9.c2lnbmF0dXJl"
APPLICATION, SECRET = "Acme.shop.1.0.0.Release", "4f7c1d2e9b6a"
EMAIL, USER_ID, CODE, DEVICE = "ada@example.com", "10000001", "473920", "b3a1f0c2d4e5"
HANDLE = "7c1e0b53a9f84d2c8b6e"
CORRELATION_ID = "3f2b8a56-6d0c-4f7e-9a55-0d3c4a1b7e21"
LAST_NAME = "Lovelace"

VALUES: dict[str, Json] = {
    # parameters and headers
    TENANT: "1",
    SITE: "1",
    CORRELATION: CORRELATION_ID,
    "x-vol-user-claims": ACCESS_TOKEN,
    PARAMETER: "accessToken,userId,customerAccount(id,emailAddress)",
    "path.tenantId": "1",
    "Retry-After": 30,
    # tokens
    "access_token": ACCESS_TOKEN,
    "accessToken": ACCESS_TOKEN,
    "jwtAccessToken": JWT,
    "expires_in": 3600,
    "refreshToken": REFRESH_TOKEN,
    "refresh_token": None,
    "requires2FA": False,
    "userId": USER_ID,
    # the customer
    "userName": EMAIL,
    "accountType": "B2C",
    "emailAddress": EMAIL,
    "email": EMAIL,
    "firstName": "Ada",
    "lastName": LAST_NAME,
    "lastNameOrSurname": LAST_NAME,
    "middleNameOrInitial": None,
    "customerSet": None,
    "companyOrOrganization": None,
    "localeCode": "en",
    "externalId": None,
    "taxId": None,
    "taxExempt": None,
    "commerceSummary": None,
    "hasExternalPassword": False,
    "isAnonymous": False,
    "isLocked": False,
    "migrationRequired": False,
    "createBy": None,
    "updateBy": None,
    "last2FaDate": None,
    "content": "Prefers mail.",
    "fullyQualifiedName": "loyalty~level",
    "values": ["gold"],
    "attributeDefinitionId": None,
    "address1": "Unter den Linden 7",
    "address2": None,
    "address3": None,
    "address4": None,
    "addressType": None,
    "cityOrTown": "Berlin",
    "countryCode": "DE",
    "postalOrZipCode": "10117",
    "stateOrProvince": None,
    "home": "+49 30 901820",
    "mobile": None,
    "work": None,
    "faxNumber": None,
    "label": None,
    "code": "vip",
    "name": "Shipping",
    "description": None,
    "domain": "shop.example",
    "currencyCode": "EUR",
    "isDevTenant": False,
    "isValidated": False,
    # failures
    "applicationName": APPLICATION_NAME,
    "correlationId": CORRELATION_ID,
    "additionalErrorData": [],
    "items": [],
}
PASSWORD: dict[str, Json] = {"username": EMAIL, "password": "password123"}
REQUESTS: dict[str, Json] = {
    "createUserAuthTicket": PASSWORD,
    "generateAndSendOtp": {"email": EMAIL},
    "validateOtpAndCreateAuthTicket": {"email": EMAIL, "otpCode": CODE, "fingerprint": DEVICE, "region": "DE-BE"},
    "generateAndSend2faOtp": {"userId": HANDLE},
    "validate2FAAndCreateAuthTicket": {"userId": HANDLE, "otpCode": CODE},
    "authenticateApp": {"applicationId": APPLICATION, "sharedSecret": SECRET},
    "oauthAuthenticateApp": {
        "client_id": APPLICATION,
        "client_secret": SECRET,
        "grant_type": "client_credentials",
    },
}


def _refusal(status: int) -> Mapping[str, Json]:
    told: dict[str, Json] = {"errorCode": CODES[status]}
    return told


EXAMPLES = Examples(
    values=VALUES,
    requests=REQUESTS,
    refusal=_refusal,
    of_demo={
        TENANT: "tenant_number_as_text",
        SITE: "site_number_as_text",
        "path.tenantId": "tenant_number_as_text",
        "client_id": "application_id",
        "client_secret": "application_secret",
        "applicationId": "application_id",
        "sharedSecret": "application_secret",
    },
)
