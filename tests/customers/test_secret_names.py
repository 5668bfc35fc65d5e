"""Which names are those of secrets, and which only resemble one."""

import time

import pytest

from customers import secret_names

SECRETS = (
    *("password", "user_password", "password2", "newPassword", "pwd", "usrPwd", "userpassword", "PASSWORD_CONFIRM"),
    *("customerPasswordHash2", "repeat-password", "account.password", "passwordUser", "oldPwd", "LoginPASSWORD"),
    *(
        "mot_de_passe_confirmation",
        "motDePasseClient",
        "nouveauMotDePasse",
        "Mot de passe de Vera",
        "contraseñaUsuario",
    ),
    *("Passwort_Kunde", "neuesPasswort2", "hasło_użytkownika", "contrasena_2", "kundenkennwort"),
    *("card_pin", "loyaltyPin", "pin2", "sms_otp", "otpCode", "shop_api_token", "accessToken2", "oauthClientSecret"),
    *("token_value", "APIToken", "my_jwt", "clave", "Nueva clave", "PIN-Nummer", "security_code", "recoveryCodes"),
)
NONE = (
    *("pinCode", "pin_code", "tokenization_consent", "passwordless", "passwordless_login", "tokenRing", "spinning"),
    *("secretSanta", "secret_question", "favouriteOtpApp", "passwordChangedAt", "password_hint", "password_policy"),
    *("password_last_changed", "passwortGeändertAm", "token_type", "otp_enabled", "deviceToken", "push_token"),
    *("fcmToken2", "lapel_pin", "shopping", "compass", "pinterest", "pintxos_club", "jetons", "tokens", "", "_", "2"),
    *("secretary", "secretariat_email", "password_reset_link", "passport", "passport_number", "mot_de_bienvenue"),
    *("cliente_clave", "palabra clave", "passwörterbuch", "postal_security", "authCodeless", "my_lapel_pin"),
)


@pytest.mark.parametrize("name", SECRETS)
def test_the_name_of_a_secret(name: str) -> None:
    assert secret_names.is_secret(name, "x")
    assert list(secret_names.errors("properties", {"shop": [{name: "x"}]}))
    assert secret_names.without({"shop": [{name: "x", "size": 7}]}) == {"shop": [{"size": 7}]}


@pytest.mark.parametrize("name", NONE)
def test_what_only_resembles_the_name_of_a_secret(name: str) -> None:
    assert not secret_names.is_secret(name, "x")


def test_whether_there_is_a_secret_is_none() -> None:
    assert not secret_names.is_secret("has_password", True)
    assert secret_names.is_secret("has_password", "x")
    assert secret_names.is_secret("password", False)


@pytest.mark.parametrize("part", ["password_", "aB", "again ", "o.t.", "2x"])
def test_a_very_long_name_costs_no_time(part: str) -> None:
    began = time.thread_time()
    secret_names.is_secret(part * 40_000, "x")
    assert time.thread_time() - began < 1  # second, of this thread
