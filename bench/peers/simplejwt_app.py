"""djangorestframework-simplejwt as its documentation sets it up: settings, paths and application in one file."""

import os
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

_url = urlsplit(os.environ["PEERS_DATABASE_URL"])
if not settings.configured:
    settings.configure(
        SECRET_KEY="the secret of a benchmark, long enough for HS256",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": _url.path[1:],
                "USER": _url.username,
                "HOST": _url.hostname,
                "PORT": _url.port,
                "CONN_MAX_AGE": 600,
                "OPTIONS": {"application_name": "simplejwt"},
            }
        },
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        },
        SIMPLE_JWT={"ACCESS_TOKEN_LIFETIME": timedelta(days=1)},  # longer than any run
        USE_TZ=True,
    )

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.generics import RetrieveAPIView  # noqa: E402
from rest_framework.serializers import ModelSerializer  # noqa: E402
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView, TokenVerifyView  # noqa: E402


class UserSerializer(ModelSerializer):
    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "last_name", "is_active", "last_login")


class Me(RetrieveAPIView):
    serializer_class = UserSerializer

    def get_object(self) -> Any:
        return self.request.user


urlpatterns = [
    path("me", Me.as_view()),
    path("token", TokenObtainPairView.as_view()),
    path("token/refresh", TokenRefreshView.as_view()),
    path("token/verify", TokenVerifyView.as_view()),
]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    User.objects.create_user("ada@example.com", "ada@example.com", "correct horse battery")
