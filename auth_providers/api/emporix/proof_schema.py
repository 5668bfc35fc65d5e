"""The description of what a log-in asks for besides: a second factor, or the proof that a link needs."""

from typing import Any

from rest_framework import serializers

from tenants.api.emporix.schema import Forbidden


class DueSecondFactor(serializers.Serializer[Any]):
    """What the log-in goes on with."""

    handle = serializers.CharField()
    methods = serializers.ListField(child=serializers.ChoiceField(["totp", "sms", "email"]))
    expiresAt = serializers.DateTimeField()


class MailedCode(serializers.Serializer[Any]):
    """The code that shows that an identity elsewhere and the customer who has its e-mail here are one person."""

    id = serializers.UUIDField()
    type = serializers.ChoiceField(["otp"])
    channel = serializers.ChoiceField(["email"])
    maskedDestination = serializers.CharField()
    expiresAt = serializers.DateTimeField()


class LogInForbidden(Forbidden):
    """The token does not open this, or the log-in needs a second factor or a proof."""

    secondFactor = DueSecondFactor(required=False)


class LogInElsewhereForbidden(LogInForbidden):
    """The token does not open this, or the log-in needs a second factor or a proof."""

    challenge = MailedCode(required=False)


class SentCode(serializers.Serializer[Any]):
    """Where the code went. An authenticator app needs none."""

    method = serializers.ChoiceField(["totp", "sms", "email"])
    maskedDestination = serializers.CharField(required=False)
    expiresAt = serializers.DateTimeField(required=False)


class SecondFactorSent(serializers.Serializer[Any]):
    secondFactor = SentCode()


SECOND_FACTOR = (LogInForbidden, "A second factor is needed.")
PROOF = (LogInElsewhereForbidden, "A second factor is needed, or the code that was mailed to the e-mail's owner.")
