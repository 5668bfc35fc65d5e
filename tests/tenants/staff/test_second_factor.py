"""The second factor of staff below the pages: whose device is set up, confirmed and removed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tenants.models import (
    AuditEvent,
    Message,
    Role,
    StaffAuthenticator,
    StaffEvent,
    StaffMembership,
    StaffRecoveryCode,
    Tenant,
    enrol_staff,
)
from tenants.secrets.encryption import decrypt, encrypt
from tenants.staff import second_factor
from tenants.staff.memberships import By, RoleRefused
from tests import authenticators, factories
from tests.factories import CLIENT

PassTime = Callable[[timedelta], None]
WRONG = "000000"


@pytest.fixture
def sue(tenant: Tenant) -> User:
    return make_user("sue", tenant)


@pytest.fixture
def bob(tenant: Tenant) -> User:
    return make_user("bob", tenant)


def make_user(name: str, tenant: Tenant, role: Role = Role.SUPPORT) -> User:
    user = User.objects.create_user(name, f"{name}@example.com", is_staff=True)
    StaffMembership.objects.create(tenant=tenant, user=user, role=role)
    return user


def began(user: User) -> StaffAuthenticator:
    device = second_factor.begin(user_id=user.pk)
    assert device
    return device


def confirm(user: User, code: str) -> tuple[StaffAuthenticator, list[str]] | None:
    return second_factor.confirm(user_id=user.pk, username=user.get_username(), code=code, client=CLIENT)


def code_of(device: StaffAuthenticator, steps: int = 0) -> str:
    return authenticators.code_of(second_factor.secret_of(device), steps=steps)


# -- setting it up ---------------------------------------------------------------------------------------------------
def test_a_device_waits_for_its_first_code_and_is_the_same_until_then(sue: User, bob: User) -> None:
    theirs = began(bob)
    device = began(sue)
    assert (device.user, device.name, device.confirmed) == (sue, "authenticator", False)
    assert began(sue) == device != theirs
    assert StaffAuthenticator.objects.count() == 2
    assert not second_factor.is_enrolled(user_id=sue.pk)
    assert second_factor.secret_of(device) == decrypt(device.secret_encrypted) != second_factor.secret_of(theirs)


def test_of_two_devices_that_wait_the_first_one_is_shown_and_confirmed(sue: User) -> None:
    first = began(sue)
    secret = encrypt(second_factor.secret_of(first))
    StaffAuthenticator.objects.create(user=sue, name="later", confirmed=False, secret_encrypted=secret)
    assert began(sue) == first
    confirmed = confirm(sue, code_of(first))
    assert confirmed
    assert confirmed[0] == first
    assert list(StaffAuthenticator.objects.filter(confirmed=True)) == [first]


def test_who_has_one_that_counts_begins_no_other(sue: User, bob: User) -> None:
    enrol_staff(user_id=sue.pk, name="phone")
    assert second_factor.begin(user_id=sue.pk) is None
    assert StaffAuthenticator.objects.count() == 1
    assert second_factor.is_enrolled(user_id=sue.pk)
    assert not second_factor.is_enrolled(user_id=bob.pk)
    assert began(bob).user == bob


def test_the_first_code_makes_one_persons_device_count(sue: User, bob: User) -> None:
    device, theirs = began(sue), began(bob)
    code = code_of(device)
    confirmed = confirm(sue, f" {code[:3]} {code[3:]} ")
    assert confirmed
    assert confirmed[0] == device
    assert len(set(confirmed[1])) == StaffRecoveryCode.objects.filter(authenticator=device).count() == 10
    assert not StaffRecoveryCode.objects.filter(authenticator=theirs).exists()
    for each in (device, theirs):
        each.refresh_from_db()
    assert (device.confirmed, theirs.confirmed) == (True, False)
    assert (device.last_step > 0, theirs.last_step) == (True, 0)
    event = StaffEvent.objects.get()
    assert (event.action, event.username, event.address) == ("second_factor_added", "sue", CLIENT.address)


def test_a_wrong_code_confirms_nothing_and_the_next_has_to_wait(sue: User, pass_time: PassTime) -> None:
    device = began(sue)
    assert confirm(sue, WRONG) is None
    assert confirm(sue, code_of(device)) is None
    pass_time(timedelta(seconds=2))
    assert confirm(sue, code_of(device)) is not None
    assert StaffEvent.objects.count() == 1


@pytest.mark.parametrize("code", ["", "12345", "abcde-fghjk", "0123456789"])
def test_what_is_no_code_of_the_app_is_not_tried(sue: User, code: str) -> None:
    device = began(sue)
    assert confirm(sue, code) is None
    device.refresh_from_db()
    assert (device.throttling_failure_count, StaffEvent.objects.exists()) == (0, False)


def test_who_has_begun_nothing_or_is_enrolled_confirms_nothing(sue: User, bob: User) -> None:
    theirs = began(bob)
    assert confirm(sue, code_of(theirs)) is None
    enrol_staff(user_id=bob.pk, name="phone")
    assert confirm(bob, code_of(theirs)) is None
    assert not StaffAuthenticator.objects.get(pk=theirs.pk).confirmed
    assert not StaffEvent.objects.exists()


def test_the_image_is_of_the_devices_own_address(sue: User, bob: User) -> None:
    device, theirs = began(sue), began(bob)
    secret = second_factor.secret_of(device)
    assert device.uri.startswith(f"otpauth://totp/Patron:sue?secret={secret}&issuer=Patron&")
    assert second_factor.qr_svg(device) == second_factor.qr_svg(began(sue)) != second_factor.qr_svg(theirs)


# -- codes of a device -----------------------------------------------------------------------------------------------
def test_a_code_is_good_once_and_the_next_one_after_it(sue: User) -> None:
    device, _ = enrol_staff(user_id=sue.pk, name="phone")
    now, later = code_of(device), code_of(device, steps=1)
    assert [device.verify_token(code) for code in (now, later)] == [True, True]
    device.refresh_from_db()
    assert (device.last_used_at is not None, device.throttling_failure_count) == (True, 0)
    assert device.verify_token(later) is False
    device.refresh_from_db()
    assert device.throttling_failure_count == 1


def test_each_wrong_code_doubles_the_wait_and_a_right_one_ends_it(sue: User, pass_time: PassTime) -> None:
    device, _ = enrol_staff(user_id=sue.pk, name="phone")
    for times, wait in enumerate((1, 2, 4), start=1):
        assert device.verify_token(WRONG) is False
        before = StaffAuthenticator.objects.values().get()
        assert before["throttling_failure_count"] == times
        assert device.verify_token(code_of(device)) is False
        assert StaffAuthenticator.objects.values().get() == before
        pass_time(timedelta(seconds=wait))
    assert device.verify_token(code_of(device)) is True
    device.refresh_from_db()
    assert (device.throttling_failure_count, device.throttling_failure_timestamp) == (0, None)


def test_a_wait_is_over_where_the_clock_was_set_back(sue: User) -> None:
    device, _ = enrol_staff(user_id=sue.pk, name="phone")
    device.throttling_failure_count = 20
    device.throttling_failure_timestamp = timezone.now() + timedelta(hours=2)
    assert device.verify_is_allowed() == (True, None)
    device.throttling_failure_timestamp = timezone.now()
    assert device.verify_is_allowed()[0] is False
    device.throttling_failure_count, device.throttling_failure_timestamp = 0, None
    assert device.verify_is_allowed()[0] is True


def test_a_recovery_code_is_good_once_on_its_own_device(sue: User, bob: User) -> None:
    (device, codes), (theirs, others) = (enrol_staff(user_id=each.pk, name="phone") for each in (sue, bob))
    assert device.verify_token(codes[0].upper().replace("-", " ")) is True
    spent = StaffRecoveryCode.objects.exclude(spent_at=None)
    assert [(code.authenticator, code.spent_at is not None) for code in spent] == [(device, True)]
    assert device.verify_token(codes[0]) is False
    device.throttle_reset()
    assert device.verify_token(others[0]) is False
    assert theirs.verify_token(others[0]) is True
    assert set(spent.values_list("authenticator", flat=True)) == {device.pk, theirs.pk}


def test_nothing_of_recovery_codes_is_readable(sue: User, stored: Callable[[], str]) -> None:
    _, codes = enrol_staff(user_id=sue.pk, name="phone")
    everything = stored()
    assert [code for code in codes if code in everything or code.replace("-", "") in everything] == []


# -- resetting it ----------------------------------------------------------------------------------------------------
def reset(user: User, tenant: Tenant, by: By) -> bool:
    membership = StaffMembership.objects.for_tenant(tenant).get(user=user)
    return second_factor.reset(membership=membership, username=user.get_username(), by=by)


def by(user: User, role: Role | None = Role.OWNER) -> By:
    return By(user_id=user.pk, username=user.get_username(), role=role, client=CLIENT)


def test_a_reset_removes_all_devices_of_one_colleague_and_tells_them(
    tenant: Tenant, other_tenant: Tenant, sue: User, bob: User
) -> None:
    olga = make_user("olga", tenant, Role.OWNER)
    StaffMembership.objects.create(tenant=other_tenant, user=bob, role=Role.VIEWER)
    for user in (sue, bob, olga):
        enrol_staff(user_id=user.pk, name="phone")
    StaffAuthenticator.objects.create(user=sue, name="waits", confirmed=False, secret_encrypted=encrypt("x"))
    assert reset(sue, tenant, by(olga)) is True
    assert {device.user for device in StaffAuthenticator.objects.all()} == {bob, olga}
    message = Message.objects.get()
    told = (message.tenant, message.template, message.recipient)
    assert told == (tenant, "staff_second_factor_reset", "sue@example.com")
    assert decrypt(message.context_encrypted) == '{"by": "olga"}'
    event = AuditEvent.objects.get()
    assert (event.tenant, event.action, event.reason) == (tenant, "reset_second_factor", "sue")
    assert (event.staff_username, event.address) == ("olga", CLIENT.address)
    assert reset(sue, tenant, by(olga)) is False


def test_a_device_that_waits_for_its_first_code_is_removed_as_well(tenant: Tenant, sue: User) -> None:
    began(sue)
    assert reset(sue, tenant, by(make_user("olga", tenant, Role.OWNER))) is True
    assert not StaffAuthenticator.objects.exists()


def test_a_colleague_without_an_address_is_told_nothing(tenant: Tenant, sue: User) -> None:
    User.objects.filter(pk=sue.pk).update(email="")
    enrol_staff(user_id=sue.pk, name="phone")
    assert reset(sue, tenant, by(make_user("olga", tenant, Role.OWNER))) is True
    assert not Message.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.MANAGER])
def test_who_says_to_be_less_than_an_owner_resets_nothing(tenant: Tenant, sue: User, role: Role) -> None:
    olga = make_user("olga", tenant, Role.OWNER)
    enrol_staff(user_id=sue.pk, name="phone")
    with pytest.raises(RoleRefused):
        reset(sue, tenant, by(olga, role))
    assert StaffAuthenticator.objects.exists()
    assert not Message.objects.exists()


def test_an_owner_needs_to_be_one_everywhere_the_colleague_works(
    tenant: Tenant, other_tenant: Tenant, sue: User, bob: User
) -> None:
    olga = make_user("olga", tenant, Role.OWNER)
    enrol_staff(user_id=sue.pk, name="phone")
    StaffMembership.objects.create(tenant=other_tenant, user=sue, role=Role.VIEWER)
    theirs = StaffMembership.objects.create(tenant=other_tenant, user=olga, role=Role.MANAGER)
    StaffMembership.objects.create(tenant=other_tenant, user=bob, role=Role.OWNER)
    with pytest.raises(RoleRefused):
        reset(sue, tenant, by(olga))
    assert StaffAuthenticator.objects.exists()
    StaffMembership.objects.filter(pk=theirs.pk).update(role=Role.OWNER)
    assert reset(sue, tenant, by(olga)) is True


def test_an_owner_of_more_resets_who_works_at_one_of_them(tenant: Tenant, other_tenant: Tenant, sue: User) -> None:
    olga = make_user("olga", tenant, Role.OWNER)
    StaffMembership.objects.create(tenant=other_tenant, user=olga, role=Role.OWNER)
    enrol_staff(user_id=sue.pk, name="phone")
    assert reset(sue, tenant, by(olga)) is True


def test_only_an_operator_resets_an_operators_and_nobody_their_own(tenant: Tenant, sue: User) -> None:
    olga = make_user("olga", tenant, Role.OWNER)
    User.objects.filter(pk=sue.pk).update(is_superuser=True)
    enrol_staff(user_id=sue.pk, name="phone")
    for refused in (by(olga), by(sue), by(sue, None)):
        with pytest.raises(RoleRefused):
            reset(sue, tenant, refused)
    assert StaffAuthenticator.objects.exists()
    assert reset(sue, tenant, by(olga, None)) is True


def test_an_operator_resets_who_works_elsewhere_too(tenant: Tenant, sue: User) -> None:
    StaffMembership.objects.create(tenant=factories.make_tenant("globex"), user=sue, role=Role.OWNER)
    enrol_staff(user_id=sue.pk, name="phone")
    assert reset(sue, tenant, By(user_id=0, username="", role=None)) is True
