"""Another provider, for the pages that let customers log in there."""

from collections.abc import Iterator

import pytest

from tests import oidc_provider
from tests.factories import EMAIL


@pytest.fixture(scope="session")
def openid_provider() -> Iterator[oidc_provider.Provider]:
    """An OpenID provider on loopback, and whom it knows."""
    with oidc_provider.running() as provider:
        provider.sign_up("ada", email=EMAIL, email_verified=True)
        provider.sign_up("mallory", email=EMAIL, email_verified=False)
        yield provider
