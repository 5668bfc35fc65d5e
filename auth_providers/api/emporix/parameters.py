"""Parameters that may stand in the body, as the document describes them; the views read them one by one."""

from rest_framework import serializers

from auth_providers.api.emporix.second_factor import CODE_MAX_LENGTH
from tenants.api.fields import Body, Text
from tenants.api.schema import TENANT_CODE


class RefreshOfVisit(Body):
    """The parameters of a refresh, kept out of the address."""

    tenant = Text(form={"pattern": TENANT_CODE})
    client_id = Text()
    refresh_token = Text()


class RenewalOfVisit(Body):
    """The same with the access token, for storefronts that kept only that."""

    tenant = Text(form={"pattern": TENANT_CODE})
    client_id = Text()
    anonymous_token = Text()


class LogoutParameters(Body):
    """Whose session shall end: the caller's, unless a token of it says so, too."""

    accessToken = Text(required=False)


class ChallengeParameters(Body):
    """The answer to a challenge, instead of the other parameters."""

    challengeId = Text(
        required=False, max_length=64, help_text="The `id` of the `challenge` that a 403 asked to answer."
    )
    challengeCode = Text(
        required=False, max_length=CODE_MAX_LENGTH, help_text="The code that was mailed to the customer."
    )


class SocialParameters(ChallengeParameters):
    """What comes beside the code: what Apple says of a new user, or the answer to a challenge."""

    user = serializers.JSONField(
        required=False,
        help_text="Apple's `user`, as an object or as the JSON text that a browser got: Apple sends a customer's name "
        "once, at the first log-in, and nowhere else.",
    )


class ExchangeParameters(ChallengeParameters):
    """The parameters, kept out of the address."""

    subjectAccessToken = Text(required=False)
    config = Text(required=False)
