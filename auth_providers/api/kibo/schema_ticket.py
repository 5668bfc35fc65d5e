"""What a ticket looks like, for the generated document."""

from typing import Any

from rest_framework import serializers


class Part(serializers.Serializer[Any]):
    """Something of an answer: each field may be null or, by `responseFields`, left out."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for each in fields.values():
            each.allow_null, each.required = True, False
        return fields


class AuditInfo(Part):
    createBy = serializers.CharField()
    createDate = serializers.DateTimeField()
    updateBy = serializers.CharField()
    updateDate = serializers.DateTimeField()


class Attribute(Part):
    attributeDefinitionId = serializers.IntegerField()
    fullyQualifiedName = serializers.CharField()
    values = serializers.ListField(child=serializers.JSONField(allow_null=True))
    auditInfo = AuditInfo()


class ContactAddress(Part):
    address1 = serializers.CharField()
    address2 = serializers.CharField()
    address3 = serializers.CharField()
    address4 = serializers.CharField()
    addressType = serializers.CharField()
    cityOrTown = serializers.CharField()
    countryCode = serializers.CharField()
    isValidated = serializers.BooleanField()
    postalOrZipCode = serializers.CharField()
    stateOrProvince = serializers.CharField()


class PhoneNumbers(Part):
    home = serializers.CharField()
    mobile = serializers.CharField()
    work = serializers.CharField()


class ContactType(Part):
    name = serializers.CharField()
    isPrimary = serializers.BooleanField()


class Contact(Part):
    id = serializers.IntegerField()
    accountId = serializers.IntegerField()
    firstName = serializers.CharField()
    middleNameOrInitial = serializers.CharField()
    lastNameOrSurname = serializers.CharField()
    companyOrOrganization = serializers.CharField()
    email = serializers.CharField()
    faxNumber = serializers.CharField()
    phoneNumbers = PhoneNumbers()
    types = ContactType(many=True)
    address = ContactAddress()
    auditInfo = AuditInfo()

    def get_fields(self) -> dict[str, Any]:
        """`label` is a name that serializers use themselves."""
        return super().get_fields() | {"label": serializers.CharField(allow_null=True, required=False)}


class StaffNote(Part):
    id = serializers.IntegerField()
    content = serializers.CharField()
    auditInfo = AuditInfo()


class CustomerSegment(Part):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    auditInfo = AuditInfo()


class OrderAmount(Part):
    amount = serializers.FloatField()
    currencyCode = serializers.CharField()


class CommerceSummary(Part):
    lastOrderDate = serializers.DateTimeField()
    orderCount = serializers.IntegerField()
    totalOrderAmount = OrderAmount()
    visitsCount = serializers.IntegerField()
    wishlistCount = serializers.IntegerField()


class CustomerAccount(Part):
    """The customer; of a visitor, only `isAnonymous`."""

    id = serializers.IntegerField()
    userId = serializers.CharField()
    userName = serializers.CharField()
    accountType = serializers.CharField()
    emailAddress = serializers.CharField()
    firstName = serializers.CharField()
    lastName = serializers.CharField()
    companyOrOrganization = serializers.CharField()
    localeCode = serializers.CharField()
    customerSet = serializers.CharField()
    customerSinceDate = serializers.DateTimeField()
    commerceSummary = CommerceSummary()
    externalId = serializers.CharField()
    last2FaDate = serializers.DateTimeField()
    acceptsMarketing = serializers.BooleanField()
    hasExternalPassword = serializers.BooleanField()
    isActive = serializers.BooleanField()
    isAnonymous = serializers.BooleanField()
    isLocked = serializers.BooleanField()
    migrationRequired = serializers.BooleanField()
    taxExempt = serializers.BooleanField()
    taxId = serializers.CharField()
    attributes = Attribute(many=True)
    contacts = Contact(many=True)
    notes = StaffNote(many=True)
    segments = CustomerSegment(many=True)
    auditInfo = AuditInfo()


class AuthTicket(Part):
    """Tokens and whom they are for; no tokens while a second factor is due (`requires2FA`)."""

    accessToken = serializers.CharField()
    accessTokenExpiration = serializers.DateTimeField()
    refreshToken = serializers.CharField()
    refreshTokenExpiration = serializers.DateTimeField()
    jwtAccessToken = serializers.CharField()
    requires2FA = serializers.BooleanField()
    userId = serializers.CharField()
    customerAccount = CustomerAccount()
