"""The description of signing up, log-ins, sessions and tokens, for the generated document."""

from typing import Any

from auth_providers.api.emporix.anonymous import AnonymousViewSet
from auth_providers.api.emporix.bodies import LogIn, RefreshParameters, Signup
from auth_providers.api.emporix.customer_sessions import CustomerSessionViewSet
from auth_providers.api.emporix.federated_log_in import FederatedLogInViewSet
from auth_providers.api.emporix.mailed_tokens import (
    MailedToken,
    MailedTokenViewSet,
    ResetCompletion,
    ResetRequest,
    WhoWaits,
)
from auth_providers.api.emporix.parameters import (
    ExchangeParameters,
    LogoutParameters,
    RefreshOfVisit,
    RenewalOfVisit,
    SocialParameters,
)
from auth_providers.api.emporix.profile import (
    DeletableProfileViewSet,
    EmailChange,
    OwnLogIn,
    OwnLogInViewSet,
    PasswordChange,
)
from auth_providers.api.emporix.records import (
    AnonymousToken,
    ExchangedTokens,
    FederatedLogInForbidden,
    LogInForbidden,
    LogInTokens,
    RefreshedTokens,
    SecondFactorSent,
    SocialLogInTokens,
    TokenValidity,
)
from auth_providers.api.emporix.second_factor import SecondFactorAnswer
from customers.api.emporix.schema import NewAddress
from tenants import codes
from tenants.api.contracts import Descriptions
from tenants.api.emporix.records import ResourceLocation
from tenants.api.emporix.schema import CUSTOMER, NOBODY, VISITOR, operation
from tenants.api.schema import TENANT_CODE, AnyOf, in_header, in_path, in_query


class NewCustomer(Signup):
    """A log-in, and what else is known of the customer."""

    customerAddress = NewAddress(source="address", required=False, allow_null=True)


VISITS, SESSIONS, LOG_INS, PASSWORDS, PROFILE = "Visits", "Sessions", "Log-ins", "Passwords", "Profile"
SECOND_FACTOR = (LogInForbidden, "A second factor is needed.")
PROOF = (FederatedLogInForbidden, "A second factor is needed, or the code that was mailed to the e-mail's owner.")
CLIENT_ID = in_query("client_id", "An active API key of the tenant.", required=True)
TENANT = in_query("tenant", "Code of the tenant.", required=True, pattern=TENANT_CODE)
OLDER_TENANT = in_query("hybris-tenant", "The older name of `tenant`; when both are sent, they agree.", deprecated=True)
WHO_ASKS = (TENANT, OLDER_TENANT, CLIENT_ID)
CONTEXT = (
    in_query("currency", "Currency of the visit, ISO 4217.", enum=["", *codes.currencies()]),
    in_query("siteCode", "Site of the visit."),
    in_query("language", "Language of the visit."),
    in_query("targetLocation", "Country of the visit, two letters."),
)
REFRESH = (
    in_query("refresh_token", "The visitor's refresh token. This or the next is needed."),
    in_query("anonymous_token", "The visitor's access token, for storefronts that kept only that."),
)
SECOND_STEP = (
    "Where the customer has a second factor the answer is 403 with `secondFactor.handle`; send that as "
    "`secondFactorHandle`, alone to have a code sent (202), then with `secondFactorCode`."
)
LINK = (
    "A 403 with `challenge` says that the e-mail of the identity belongs to a customer already, who was mailed a code: "
    "repeat the call with `challengeId` and `challengeCode` alone."
)
ENDS_OTHERS = "Every other session of the customer ends, and what was asked for before is void."


def _anonymous(name: str, summary: str, description: str, **rest: Any) -> Any:
    answers = {200: (AnonymousToken, "A visitor's token.")}
    return operation(
        name, summary, description, tag=VISITS, tokens=NOBODY, answers=answers, has_tenant_path=False, **rest
    )


def _logout(name: str, summary: str, description: str, method: str, **rest: Any) -> Any:
    return operation(
        name,
        summary,
        description,
        tag=SESSIONS,
        tokens=CUSTOMER,
        answers={204: "The session has ended."},
        refusals=(403,),
        methods=[method],
        **rest,
    )


def _refresh(name: str, summary: str, description: str, method: str, **rest: Any) -> Any:
    return operation(
        name,
        summary,
        f"{description} A token is good once; shown again within 30 seconds, it gives the same pair, and later it ends "
        "the session, because somebody else may have it.",
        tag=SESSIONS,
        tokens=VISITOR,
        answers={200: (RefreshedTokens, "The next pair.")},
        methods=[method],
        **rest,
    )


def _session(name: str, summary: str, description: str, **rest: Any) -> Any:
    return operation(name, summary, description, tag=SESSIONS, tokens=VISITOR, **rest)


def _mailed(name: str, summary: str, description: str, *, tag: str, **rest: Any) -> Any:
    return operation(name, summary, description, tag=tag, tokens=VISITOR, **rest)


def _own(name: str, summary: str, description: str, *, tag: str = LOG_INS, **rest: Any) -> Any:
    refusals = (403, 429, *rest.pop("refusals", ()))
    return operation(name, summary, description, tag=tag, tokens=CUSTOMER, refusals=refusals, **rest)


DESCRIPTIONS: Descriptions = {
    AnonymousViewSet: {
        "log_in": [
            _anonymous(
                "GET-oauth-generate-anonymous-access-token",
                "Begin a visit",
                "Opens a session for somebody who has not logged in. The log-in goes on with it under the same id, so "
                "that what hangs on the session, such as a cart, stays.",
                parameters=WHO_ASKS + CONTEXT,
                refusals=(429,),
            )
        ],
        "refresh": [
            _anonymous(
                "GET-oauth-refresh-anonymous-access-token",
                "Go on with a visit",
                "Exchanges a visitor's refresh token for the next pair, or an access token for another one.",
                parameters=WHO_ASKS + REFRESH,
                methods=["GET"],
            ),
            _anonymous(
                "POST-oauth-refresh-anonymous-access-token",
                "Go on with a visit, the token in the body",
                "The same as GET, without a token in the address.",
                body=AnyOf("AnonymousRefresh", RefreshOfVisit, RenewalOfVisit),
                methods=["POST"],
            ),
        ],
    },
    CustomerSessionViewSet: {
        "sign_up": [
            _session(
                "POST-customer-create-customer-account",
                "Sign up",
                "Creates a customer with a log-in. `signup` names another log-in than `email` and `password`; "
                "`customerDetails.contactEmail` is `email`, when it is sent. A company customer (`b2b`) has first "
                "name, last name and company. The tenant may ask for a longer password, or for an opt-in by mail.",
                body=NewCustomer,
                answers={201: (ResourceLocation, "The number of the new customer.")},
                refusals=(403, 409, 429),
            )
        ],
        "log_in": [
            _session(
                "POST-customer-authenticate-customer",
                "Log in with e-mail and password",
                f"Every reason to refuse is the same 401. {SECOND_STEP}",
                body=AnyOf("AuthenticateCustomer", LogIn, SecondFactorAnswer),
                answers={
                    200: (LogInTokens, "The customer's tokens."),
                    202: (SecondFactorSent, "The second factor's code is under way, if it is one that is sent."),
                    403: SECOND_FACTOR,
                },
                refusals=(429,),
            )
        ],
        "log_out": [
            _logout(
                "GET-customer-logout-customer",
                "Log out",
                "Ends the session of the caller, with every token of it. HEAD and a prefetch end nothing.",
                "GET",
                parameters=[in_query("accessToken", "A token of the session; the caller's when left out.")],
            ),
            _logout(
                "POST-customer-logout-customer",
                "Log out, the token in the body",
                "The same as GET, without a token in the address.",
                "POST",
                body=LogoutParameters,
            ),
        ],
        "refresh": [
            _refresh(
                "GET-customer-refresh-authtoken",
                "Exchange a refresh token",
                "Gives the next pair of a customer's session.",
                "GET",
                parameters=[
                    in_query("refreshToken", "The customer's refresh token.", required=True),
                    in_query("legalEntityId", "A company of the customer's to act for; none leaves the company."),
                ],
            ),
            _refresh(
                "POST-customer-refresh-authtoken",
                "Exchange a refresh token from the body",
                "The same as GET, without a token in the address.",
                "POST",
                body=RefreshParameters,
            ),
        ],
        "validate": [
            _session(
                "GET-customer-validate-token",
                "Learn what a token is worth",
                "Says how long the token that is shown lives, and what it allows. One that is worth nothing is a 401.",
                answers={200: (TokenValidity, "The token is valid.")},
            )
        ],
    },
    MailedTokenViewSet: {
        "request_reset": [
            _mailed(
                "POST-customer-request-reset-password",
                "Ask for a mail to set a new password with",
                "The answer is the same whether or not somebody has this log-in.",
                tag=PASSWORDS,
                body=ResetRequest,
                answers={204: "A mail is under way, if someone has this log-in."},
                refusals=(403, 429),
            )
        ],
        "complete_reset": [
            _mailed(
                "POST-customer-reset-password",
                "Set a new password with the token from the mail",
                f"The token works once, for an hour. {ENDS_OTHERS}",
                tag=PASSWORDS,
                body=ResetCompletion,
                answers={204: "The password is set; every other session has ended."},
                refusals=(403,),
            )
        ],
        "confirm_email_change": [
            _mailed(
                "POST-customer-confirm-customer-login-email",
                "Confirm a new e-mail with the token from the mail",
                "From then on the customer logs in with the new address. It is proven where the token comes with the "
                "customer's own token, or in a visit in which the customer is logged in or logs in afterwards. "
                "In another customer's session it is refused.",
                tag=LOG_INS,
                body=MailedToken,
                answers={204: "The log-in has the new e-mail."},
                refusals=(403, 409),
            )
        ],
        "opt_in": [
            _mailed(
                "GET-customer-signup-customer-optin",
                "Confirm a sign-up with the token from the mail",
                "Confirms the account and logs it in. Followed again within 30 seconds, the link answers as before.",
                tag=SESSIONS,
                parameters=[in_path("token", "The token from the mail.")],
                answers={200: (LogInTokens, "The customer's tokens."), 403: SECOND_FACTOR},
            )
        ],
        "resend_opt_in": [
            _mailed(
                "POST-customer-refresh-token",
                "Ask for another mail to confirm a sign-up with",
                "The answer is the same whether or not somebody waits for it.",
                tag=SESSIONS,
                body=WhoWaits,
                answers={202: "A mail is under way, if someone waits for one."},
                refusals=(429,),
            )
        ],
    },
    DeletableProfileViewSet: {
        "destroy": [
            _own(
                "DELETE-customer-remove-customer-profile",
                "Delete one's own profile",
                "Erases what is personal, at once or, where the tenant wants that, after a confirmation by mail: then "
                "the call is repeated with the mailed token.",
                tag=PROFILE,
                parameters=[in_query("token", "The token from the mail that asks for confirmation.")],
                answers={202: "A mail that asks for confirmation is under way.", 204: "The profile is gone."},
            )
        ],
    },
    OwnLogInViewSet: {
        "add": [
            _own(
                "POST-customer-assign-customer-account",
                "Add a log-in to one's own profile",
                "It opens nothing until the token that is mailed to its address is shown together with a token of the "
                "profile's owner. The log-in of the caller is less than a day old, or the current password comes "
                "with it.",
                body=OwnLogIn,
                answers={201: (ResourceLocation, "The number of the customer.")},
                refusals=(409,),
            )
        ],
        "request_email_change": [
            _own(
                "POST-customer-change-customer-login-email",
                "Ask to log in with another e-mail",
                "Mails a token to the new address and a notice to the old one. The answer is the same for an address "
                "that is taken.",
                body=EmailChange,
                answers={204: "A mail to the new e-mail is under way."},
            )
        ],
        "change_password": [
            _own(
                "POST-customer-change-account-password",
                "Change one's own password",
                ENDS_OTHERS,
                tag=PASSWORDS,
                body=PasswordChange,
                answers={204: "The password is changed; every other session has ended."},
            )
        ],
    },
    FederatedLogInViewSet: {
        "social_log_in": [
            _session(
                "POST-customer-login-customer-by-auth0",
                "Log in with another identity provider",
                f"Exchanges the provider's authorization code. {LINK} An answer to a challenge has no `code`.",
                parameters=[
                    in_query("code", "The authorization code.", required=True),
                    in_query("redirect_uri", "One of the provider's; needed when it has several."),
                    in_query("code_verifier", "The verifier of PKCE (RFC 7636)."),
                    in_query("provider", "Name of the provider, where the tenant has several."),
                    in_query("state", "The state; `{name}--{random}` names the provider, too."),
                    in_query("anonymous_token", "The visitor's token, where no header brings it."),
                    in_header("session-id", "Accepted and not needed: the token knows its session."),
                ],
                body=SocialParameters,
                answers={200: (SocialLogInTokens, "The customer's tokens."), 403: PROOF},
                refusals=(404, 409),
            )
        ],
        "exchange": [
            _session(
                "POST-customer-exchange-authtoken",
                "Exchange another provider's token",
                f"Checks the token as the named configuration says, and logs its customer in. {LINK} The parameters "
                "may stand in the body instead, to keep the token out of the address.",
                parameters=[
                    in_query("subjectAccessToken", "The provider's token.", required=True),
                    in_query("config", "Name of the provider, where the tenant has several."),
                ],
                body=ExchangeParameters,
                answers={200: (ExchangedTokens, "The customer's tokens."), 403: PROOF},
                refusals=(404, 409),
            )
        ],
    },
}
