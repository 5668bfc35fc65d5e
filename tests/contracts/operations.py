"""The operations of every contract, each with a request that succeeds in the scene."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpResponse

from tests import factories
from tests.contracts import codes
from tests.contracts.calls import call
from tests.contracts.scene import NEW_EMAIL, WAITING_EMAIL, Scene

NEW_PASSWORD = "another battery staple"
CREDENTIALS = {"email": factories.EMAIL, "password": factories.PASSWORD}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One documented call. `opens` names the least token that it asks for: none, visitor, customer, or that of an
    application; `refuses` a method that its path does not have."""

    contract: str
    name: str
    method: str
    path: str
    opens: str
    success: int = 200
    json: dict[str, Any] | None = field(default=None, hash=False)
    refuses: str = "DELETE"

    def __str__(self) -> str:
        return self.name

    def path_in(self, scene: Scene, *, tenant_code: str = "") -> str:
        return scene.filled(self.path.replace("{tenant}", tenant_code or scene.tenant.code))

    def json_in(self, scene: Scene) -> dict[str, Any] | None:
        if self.json is None:
            return None
        return {name: scene.filled(value) if isinstance(value, str) else value for name, value in self.json.items()}

    def least_token(self, scene: Scene) -> str:
        if self.opens == "application":
            return scene.values["application"]()
        return {"none": "", "visitor": scene.visitor_token, "customer": scene.logged_in.access_token}[self.opens]

    def prepared(self, scene: Scene) -> "Operation":
        """The same with the scene's values in it: what they take to make happens before what a test looks at."""
        self.least_token(scene)
        return replace(self, path=self.path_in(scene), json=self.json_in(scene))

    def send(self, scene: Scene, *, tenant_code: str = "", **changes: Any) -> HttpResponse:
        """The request that succeeds, but for the `changes` (arguments of `call`)."""
        arguments: dict[str, Any] = {"token": self.least_token(scene), "json": self.json_in(scene)} | changes
        return call(self.method, self.path_in(scene, tenant_code=tenant_code), **arguments)


def _of_visitors(name: str, method: str, path: str, **rest: Any) -> Operation:
    return Operation(
        contract="emporix", name=name, method=method, path=f"/customer/{{tenant}}/{path}", opens="visitor", **rest
    )


def _of_customers(name: str, method: str, path: str, **rest: Any) -> Operation:
    return Operation(
        contract="emporix", name=name, method=method, path=f"/customer/{{tenant}}/{path}", opens="customer", **rest
    )


ANONYMOUS_REFRESH = "/customerlogin/auth/anonymous/refresh?tenant={tenant}&client_id=storefront"
EMPORIX = (
    _of_visitors("me-get", "GET", "me", refuses="POST"),
    _of_customers("me-patch", "PATCH", "me", json={"firstName": "Augusta"}, refuses="POST"),
    _of_customers("me-delete", "DELETE", "me", success=202, refuses="POST"),
    _of_customers("addresses-list", "GET", "me/addresses"),
    _of_customers(
        "address-create", "POST", "me/addresses", success=201, json={"contactName": "Ada Lovelace", "country": "GB"}
    ),
    _of_customers("address-get", "GET", "me/addresses/home", refuses="POST"),
    _of_customers("address-patch", "PATCH", "me/addresses/home", json={"city": "Ockham"}, refuses="POST"),
    _of_customers("address-delete", "DELETE", "me/addresses/home", success=204, refuses="POST"),
    _of_customers("tags-add", "POST", "me/addresses/home/tags?tags=shipping", success=204, refuses="GET"),
    _of_customers("tags-remove", "DELETE", "me/addresses/home/tags?tags=billing", success=204, refuses="GET"),
    _of_customers(
        "log-in-add",
        "POST",
        "me/accounts/internal",
        success=201,
        json={"email": NEW_EMAIL, "password": NEW_PASSWORD},
    ),
    _of_customers(
        "email-change",
        "POST",
        "me/accounts/internal/email/change",
        success=204,
        json=CREDENTIALS | {"newEmail": NEW_EMAIL, "syncContactEmail": True},
    ),
    _of_visitors(
        "email-confirm",
        "POST",
        "me/accounts/internal/email/change/confirm",
        success=204,
        json={"token": "{email_change}"},
    ),
    _of_visitors("password-reset", "POST", "password/reset", success=204, json={"email": factories.EMAIL}),
    _of_visitors(
        "password-reset-update",
        "POST",
        "password/reset/update",
        success=204,
        json={"token": "{reset}", "password": NEW_PASSWORD},
    ),
    _of_customers(
        "password-change",
        "POST",
        "password/change",
        success=204,
        json={"currentPassword": factories.PASSWORD, "newPassword": NEW_PASSWORD},
    ),
    _of_visitors("signup", "POST", "signup", success=201, json={"email": NEW_EMAIL, "password": factories.PASSWORD}),
    Operation(
        contract="emporix",
        name="anonymous-login",
        method="GET",
        path="/customerlogin/auth/anonymous/login?tenant={tenant}&client_id=storefront",
        opens="none",
    ),
    Operation(
        contract="emporix",
        name="anonymous-refresh",
        method="GET",
        path=ANONYMOUS_REFRESH + "&refresh_token={visitor_refresh}",
        opens="none",
    ),
    _of_visitors("login", "POST", "login", json=CREDENTIALS),
    _of_customers("logout", "GET", "logout", success=204),
    _of_visitors("refreshauthtoken", "GET", "refreshauthtoken?refreshToken={refresh}"),
    _of_visitors("validateauthtoken", "GET", "validateauthtoken"),
    _of_visitors("opt-in", "GET", "signup/optin/{opt_in}"),
    _of_visitors("opt-in-refresh", "POST", "signup/optin/refresh_token", success=202, json={"email": WAITING_EMAIL}),
    _of_visitors("social-login", "POST", "socialLogin?code={code}"),
    _of_visitors("exchange", "POST", "exchangeauthtoken?subjectAccessToken={subject_token}"),
)
# The same calls in another way: these need no golden bodies of their own.
EMPORIX_TWINS = (
    _of_customers("me-put", "PUT", "me", json={"firstName": "Augusta"}),
    _of_customers("me-delete-by-token", "DELETE", "me?token={deletion}", success=204),
    _of_customers("address-put", "PUT", "me/addresses/home", json={"city": "Ockham"}),
    _of_customers("logout-post", "POST", "logout", success=204, json={}),
    _of_visitors("refreshauthtoken-post", "POST", "refreshauthtoken?refreshToken={refresh}", json={}),
    Operation(
        contract="emporix",
        name="anonymous-refresh-post",
        method="POST",
        path=ANONYMOUS_REFRESH,
        opens="none",
        json={"refresh_token": "{visitor_refresh}"},
    ),
    _of_visitors("exchange-post", "POST", "exchangeauthtoken", json={"subjectAccessToken": "{subject_token}"}),
)
NEOSTORE = (
    Operation(contract="neostore", name="customer-get", method="GET", path="/api/{tenant}/customer", opens="customer"),
    Operation(
        contract="neostore",
        name="customer-post",
        method="POST",
        path="/api/{tenant}/customer",
        opens="none",
        json={"email": NEW_EMAIL, "firstName": "Grace", "postcode": "10115", "country": "DE", "shoeSize": 39},
    ),
    Operation(
        contract="neostore",
        name="authenticate",
        method="POST",
        path="/api/{tenant}/customer/authenticate?provider=password",
        opens="none",
        json=CREDENTIALS,
    ),
)


def _by_provider(name: str, provider: str, *, success: int = 200, **json: str) -> Operation:
    path = f"/api/{{tenant}}/customer/authenticate?provider={provider}"
    return Operation(contract="neostore", name=name, method="POST", path=path, opens="none", success=success, json=json)


# The same call for other kinds of providers.
NEOSTORE_TWINS = (
    _by_provider("authenticate-otp", "otp", success=202, channel="email{codes}", to=factories.EMAIL),
    _by_provider("authenticate-code", "otp", challengeId="{log_in_challenge}", code="{log_in_code}"),
    _by_provider("authenticate-social", "oidc", idToken="{id_token}"),
    _by_provider("authenticate-jwt", "jwt", accessToken="{subject_token}"),
)


def _of_the_account(name: str, method: str, path: str, **rest: Any) -> Operation:
    return Operation(
        contract="account",
        name=name,
        method=method,
        path=f"/tenants/{{tenant}}/account/authenticator{path}",
        opens="customer",
        refuses="PUT",
        **rest,
    )


def _of_ones_own(name: str, method: str, path: str, **rest: Any) -> Operation:
    path = f"/tenants/{{tenant}}/account/{path}"
    return Operation(
        contract="account", name=name, method=method, path=path, opens="customer", **({"refuses": "PUT"} | rest)
    )


ACCOUNT = (
    _of_the_account("authenticator-get", "GET", ""),
    _of_the_account("authenticator-start", "POST", "", success=201),
    _of_the_account("authenticator-confirm", "POST", "/confirm", json={"code": "{first_code}"}),
    _of_the_account("recovery-codes", "POST", "/recovery-codes{enrolled}"),
    _of_the_account("authenticator-remove", "DELETE", "{enrolled}", success=204),
    *(_of_ones_own(f"{name}-list", "GET", name) for name in ("sessions", "log-ins", "consents", "history")),
    _of_ones_own("sessions-end-others", "DELETE", "sessions"),
    _of_ones_own("session-end", "DELETE", "sessions/{other_session}", success=204, refuses="GET"),
)
# Without a golden body: it says what every table does.
DATA = (_of_ones_own("data-download", "GET", "data"),)

USERINFO = Operation(
    contract="oauth", name="userinfo", method="GET", path="/tenants/{tenant}/oauth/userinfo", opens="customer"
)
OAUTH = (USERINFO, replace(USERINFO, name="userinfo-post", method="POST"))


def _of_applications(name: str, method: str, path: str, **rest: Any) -> Operation:
    return Operation(contract="kibo", name=name, method=method, path=f"/api/{path}", opens="application", **rest)


TICKETS = "commerce/customer/authtickets"
KIBO = (
    Operation(
        contract="kibo",
        name="kibo-oauth",
        method="POST",
        path="/api/platform/applications/authtickets/oauth",
        opens="none",
        json={
            "client_id": codes.APPLICATION_ID,
            "client_secret": "{application_secret}",
            "grant_type": "client_credentials",
        },
    ),
    Operation(
        contract="kibo",
        name="kibo-ticket",
        method="POST",
        path="/api/platform/applications/authtickets",
        opens="none",
        json={"applicationId": codes.APPLICATION_ID, "sharedSecret": "{application_secret}"},
    ),
    _of_applications("kibo-tenant", "GET", "platform/tenants/{tenant_number}"),
    _of_applications("kibo-anonymous", "GET", f"{TICKETS}/anonymousshopper"),
    _of_applications(
        "kibo-password", "POST", TICKETS, json={"username": factories.EMAIL, "password": factories.PASSWORD}
    ),
    _of_applications("kibo-otp-request", "POST", f"{TICKETS}/otp/request", json={"email": "{codes}ada@example.com"}),
    _of_applications(
        "kibo-otp-auth",
        "POST",
        f"{TICKETS}/otp/auth",
        json={"email": factories.EMAIL, "otpCode": "{log_in_code}", "fingerprint": None, "region": None},
    ),
    _of_applications("kibo-2fa-request", "POST", f"{TICKETS}/2fa/request", json={"userId": "{handle}"}),
    _of_applications(
        "kibo-2fa-auth", "POST", f"{TICKETS}/2fa/auth", json={"userId": "{handle}", "otpCode": "{second_code}"}
    ),
    _of_applications("kibo-refresh", "PUT", f"{TICKETS}/refresh?refreshToken={{refresh}}"),
)
KIBO_TWINS = (
    _of_applications("kibo-visitor-refresh", "PUT", f"{TICKETS}/refresh?refreshToken={{application_visitor_refresh}}"),
    replace(KIBO[3], name="kibo-bare-anonymous", path=f"/{TICKETS}/anonymousshopper"),
)
EVERY_OPERATION = EMPORIX + EMPORIX_TWINS + NEOSTORE + NEOSTORE_TWINS + ACCOUNT + DATA + OAUTH + KIBO + KIBO_TWINS
BY_NAME = {operation.name: operation for operation in EVERY_OPERATION}
