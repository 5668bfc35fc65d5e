"""Our own pages, which links in mails lead to where a shop has none. Every path tolerates a trailing slash."""

from django.urls import path, re_path

from auth_providers.pages import brand, providers
from auth_providers.pages.confirmations import ConfirmPage, DeletionPage
from auth_providers.pages.link import LinkPage
from auth_providers.pages.owner import AdditionalLogInPage, EmailPage, ProviderPage
from auth_providers.pages.password import PasswordPage
from auth_providers.pages.undo import UndoPage

PAGE = r"^pages/(?P<tenant>[^/]+)"

urlpatterns = [
    path("pages/<str:tenant>/brand.css", brand.stylesheet, name="brand"),
    re_path(rf"{PAGE}/confirm/?$", ConfirmPage.as_view()),
    re_path(rf"{PAGE}/password/?$", PasswordPage.as_view(), name="own-password"),
    re_path(rf"{PAGE}/email/?$", EmailPage.as_view(), name="own-email"),
    re_path(rf"{PAGE}/log-in/?$", AdditionalLogInPage.as_view(), name="own-log-in"),
    re_path(rf"{PAGE}/{providers.PATH}/?$", ProviderPage.as_view()),
    re_path(rf"{PAGE}/link/?$", LinkPage.as_view()),
    re_path(rf"{PAGE}/deletion/?$", DeletionPage.as_view()),
    re_path(rf"{PAGE}/undo/?$", UndoPage.as_view()),
]
