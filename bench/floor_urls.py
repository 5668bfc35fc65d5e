"""The floor's two paths: a row, and a row and a password hash."""

from argon2 import PasswordHasher
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

SELECT = "SELECT number, first_name, last_name FROM customers_customer WHERE number = %s"
# As Patron's (`auth_providers.accounts.passwords.Argon2idHasher`).
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
HASH = HASHER.hash("correct horse battery")


def read(request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute(SELECT, ["20000000"])
        return JsonResponse(dict(zip(("number", "first", "last"), cursor.fetchone(), strict=True)))


def read_and_hash(request: HttpRequest) -> JsonResponse:
    HASHER.verify(HASH, "correct horse battery")
    return read(request)


urlpatterns = [path("read", read), path("hash", read_and_hash)]
