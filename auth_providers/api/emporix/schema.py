"""The description of signing up, log-ins, sessions and tokens, for the generated document."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from auth_providers.api.emporix.anonymous import AnonymousViewSet
from auth_providers.api.emporix.bodies import LogIn, PasswordAuthentication, RefreshParameters, Signup
from auth_providers.api.emporix.customer_sessions import CustomerSessionViewSet
from auth_providers.api.emporix.federated_log_in import FederatedLogInViewSet
from auth_providers.api.emporix.mailed_tokens import (
    MailedToken,
    MailedTokenViewSet,
    ResetCompletion,
    ResetRequest,
    WhoWaits,
)
from auth_providers.api.emporix.profile import DeletableProfileViewSet, EmailChange, OwnLogInViewSet, PasswordChange
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
from auth_providers.api.emporix.second_factor import CODE_MAX_LENGTH, SecondFactorAnswer
from tenants.api.contracts import Descriptions
from tenants.api.emporix.records import ResourceLocation
from tenants.api.emporix.schema import CUSTOMER, NOBODY, VISITOR, operation
from tenants.api.schema import in_header, in_path, in_query


class AnonymousRefreshParameters(serializers.Serializer[Any]):
    """The same parameters, kept out of the address."""

    tenant = serializers.CharField(required=False)
    client_id = serializers.CharField(required=False)
    refresh_token = serializers.CharField(required=False)
    anonymous_token = serializers.CharField(required=False)


class LogoutParameters(serializers.Serializer[Any]):
    accessToken = serializers.CharField(required=False)


class ChallengeParameters(serializers.Serializer[Any]):
    """The answer to a challenge, instead of the other parameters."""

    challengeId = serializers.CharField(
        required=False, max_length=64, help_text="The `id` of the `challenge` that a 403 asked to answer."
    )
    challengeCode = serializers.CharField(
        required=False, max_length=CODE_MAX_LENGTH, help_text="The code that was mailed to the customer."
    )


class ExchangeParameters(ChallengeParameters):
    subjectAccessToken = serializers.CharField(required=False)
    config = serializers.CharField(required=False)


class RefreshBody(RefreshParameters):
    refreshToken = serializers.CharField(required=False)


VISITS, SESSIONS, LOG_INS, PASSWORDS, PROFILE = "Visits", "Sessions", "Log-ins", "Passwords", "Profile"
SECOND_FACTOR = (LogInForbidden, "A second factor is needed.")
PROOF = (FederatedLogInForbidden, "A second factor is needed, or the code that was mailed to the e-mail's owner.")
CLIENT_ID = in_query("client_id", "An active API key of the tenant.", required=True)
TENANT = in_query("tenant", "Code of the tenant; `hybris-tenant` will do, too.")
OLDER_TENANT = in_query("hybris-tenant", "The older name of `tenant`.")
WHO_ASKS = (TENANT, OLDER_TENANT, CLIENT_ID)
CONTEXT = (
    in_query("currency", "Currency of the visit, ISO 4217."),
    in_query("siteCode", "Site of the visit."),
    in_query("language", "Language of the visit."),
    in_query("targetLocation", "Country of the visit, two letters."),
)
REFRESH = (
    in_query("refresh_token", "The visitor's refresh token."),
    in_query("anonymous_token", "The visitor's access token, for storefronts that kept only that."),
)


def _anonymous(name: str, summary: str, **rest: Any) -> Any:
    answers = {200: (AnonymousToken, "A visitor's token.")}
    return operation(name, summary, tag=VISITS, tokens=NOBODY, answers=answers, has_tenant_path=False, **rest)


def _logout(name: str, summary: str, method: str, **rest: Any) -> Any:
    return operation(
        name,
        summary,
        tag=SESSIONS,
        tokens=CUSTOMER,
        parameters=[in_query("accessToken", "A token of the session; the caller's when left out.")],
        answers={204: "The session has ended."},
        refusals=(403,),
        methods=[method],
        **rest,
    )


def _refresh(name: str, summary: str, method: str, **rest: Any) -> Any:
    return operation(
        name,
        summary,
        tag=SESSIONS,
        tokens=VISITOR,
        parameters=[
            in_query("refreshToken", "The customer's refresh token.", required=method == "GET"),
            in_query("legalEntityId", "A company of the customer's to act for from now on."),
        ],
        answers={200: (RefreshedTokens, "The next pair.")},
        methods=[method],
        **rest,
    )


def _mailed(name: str, summary: str, *, tag: str, **rest: Any) -> Any:
    return operation(name, summary, tag=tag, tokens=VISITOR, **rest)


def _own(name: str, summary: str, *, tag: str = LOG_INS, **rest: Any) -> Any:
    refusals = (403, 429, *rest.pop("refusals", ()))
    return operation(name, summary, tag=tag, tokens=CUSTOMER, refusals=refusals, **rest)


DESCRIPTIONS: Descriptions = {
    AnonymousViewSet: {
        "log_in": [
            _anonymous("GET-oauth-generate-anonymous-access-token", "Begin a visit", parameters=WHO_ASKS + CONTEXT)
        ],
        "refresh": [
            _anonymous(
                "GET-oauth-refresh-anonymous-access-token",
                "Go on with a visit",
                parameters=WHO_ASKS + REFRESH,
                methods=["GET"],
            ),
            _anonymous(
                "POST-oauth-refresh-anonymous-access-token",
                "Go on with a visit, the token in the body",
                parameters=(*WHO_ASKS[:2], in_query("client_id", "An active API key of the tenant.")),
                body=AnonymousRefreshParameters,
                methods=["POST"],
            ),
        ],
    },
    CustomerSessionViewSet: {
        "sign_up": [
            operation(
                "POST-customer-create-customer-account",
                "Sign up",
                tag=SESSIONS,
                tokens=VISITOR,
                body=Signup,
                answers={201: (ResourceLocation, "The number of the new customer.")},
                refusals=(403, 409, 429),
            )
        ],
        "log_in": [
            operation(
                "POST-customer-authenticate-customer",
                "Log in with e-mail and password",
                tag=SESSIONS,
                tokens=VISITOR,
                body=PolymorphicProxySerializer(
                    component_name="AuthenticateCustomer",
                    serializers=[LogIn, SecondFactorAnswer],
                    resource_type_field_name=None,
                ),
                answers={
                    200: (LogInTokens, "The customer's tokens."),
                    202: (SecondFactorSent, "The second factor's code is under way, if it is one that is sent."),
                    403: SECOND_FACTOR,
                },
                refusals=(429,),
            )
        ],
        "log_out": [
            _logout("GET-customer-logout-customer", "Log out", "GET"),
            _logout("POST-customer-logout-customer", "Log out, the token in the body", "POST", body=LogoutParameters),
        ],
        "refresh": [
            _refresh("GET-customer-refresh-authtoken", "Exchange a refresh token", "GET"),
            _refresh(
                "POST-customer-refresh-authtoken", "Exchange a refresh token from the body", "POST", body=RefreshBody
            ),
        ],
        "validate": [
            operation(
                "GET-customer-validate-token",
                "Learn what a token is worth",
                tag=SESSIONS,
                tokens=VISITOR,
                answers={200: (TokenValidity, "The token is valid.")},
            )
        ],
    },
    MailedTokenViewSet: {
        "request_reset": [
            _mailed(
                "POST-customer-request-reset-password",
                "Ask for a mail to set a new password with",
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
                tag=SESSIONS,
                parameters=[in_path("token", "The token from the mail.")],
                answers={200: (LogInTokens, "The customer's tokens."), 403: SECOND_FACTOR},
            )
        ],
        "resend_opt_in": [
            _mailed(
                "POST-customer-refresh-token",
                "Ask for another mail to confirm a sign-up with",
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
                body=PasswordAuthentication,
                answers={201: (ResourceLocation, "The number of the customer.")},
                refusals=(409,),
            )
        ],
        "request_email_change": [
            _own(
                "POST-customer-change-customer-login-email",
                "Ask to log in with another e-mail",
                body=EmailChange,
                answers={204: "A mail to the new e-mail is under way."},
            )
        ],
        "change_password": [
            _own(
                "POST-customer-change-account-password",
                "Change one's own password",
                tag=PASSWORDS,
                body=PasswordChange,
                answers={204: "The password is changed; every other session has ended."},
            )
        ],
    },
    FederatedLogInViewSet: {
        "social_log_in": [
            operation(
                "POST-customer-login-customer-by-auth0",
                "Log in with another identity provider",
                tag=SESSIONS,
                tokens=VISITOR,
                parameters=[
                    in_query("code", "The authorisation code; needed unless the body answers a challenge."),
                    in_query("redirect_uri", "One of the provider's; needed when it has several."),
                    in_query("code_verifier", "The verifier of PKCE (RFC 7636)."),
                    in_query("provider", "Name of the provider, where the tenant has several."),
                    in_query("state", "The state; `{name}--{random}` names the provider, too."),
                    in_query("anonymous_token", "The visitor's token, where no header brings it."),
                    in_header("session-id", "Accepted and not needed: the token knows its session."),
                ],
                body=ChallengeParameters,
                answers={200: (SocialLogInTokens, "The customer's tokens."), 403: PROOF},
                refusals=(404, 409),
            )
        ],
        "exchange": [
            operation(
                "POST-customer-exchange-authtoken",
                "Exchange another provider's token",
                tag=SESSIONS,
                tokens=VISITOR,
                parameters=[
                    in_query("subjectAccessToken", "The provider's token; it may stand in the body."),
                    in_query("config", "Name of the provider, where the tenant has several."),
                ],
                body=ExchangeParameters,
                answers={200: (ExchangedTokens, "The customer's tokens."), 403: PROOF},
                refusals=(404, 409),
            )
        ],
    },
}
