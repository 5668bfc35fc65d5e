"""Where staff log in with their company's account, by the variables `STAFF_OIDC_…`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.environment.variables import Environment, InvalidVariable


@dataclass(frozen=True, kw_only=True)
class SingleSignOn:
    """An OpenID provider that staff log in at.

    `roles_claim` is the claim, or the path to it with dots, whose values say who works for which tenant, "" where
    owners say it. `roles` translates values of the company's own into `tenant:role`. `operators` are the values that
    make somebody an operator. `second_factor` are the values of `amr` or `acr` (OpenID Connect Core 1.0, 2) that stand
    for a second factor; without one of them ours is asked for. `acr_values` is what the provider is asked for.
    """

    issuer: str
    client_id: str
    client_secret: str
    name: str = "company account"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    roles_claim: str = ""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    operators: frozenset[str] = frozenset()
    second_factor: frozenset[str] = frozenset()
    acr_values: str = ""


def read(env: Environment) -> SingleSignOn | None:
    """The provider; None where `STAFF_OIDC_ISSUER` is not set. Raises `InvalidVariable`."""
    issuer = env.text("STAFF_OIDC_ISSUER")
    provider = SingleSignOn(
        issuer=issuer.rstrip("/"),
        client_id=env.text("STAFF_OIDC_CLIENT_ID"),
        client_secret=env.text("STAFF_OIDC_CLIENT_SECRET"),
        name=env.text("STAFF_OIDC_NAME", SingleSignOn.name),
        scopes=tuple(env.text("STAFF_OIDC_SCOPE", " ".join(SingleSignOn.scopes)).split()),
        roles_claim=env.text("STAFF_OIDC_ROLES_CLAIM"),
        roles=_roles(env),
        operators=frozenset(env.texts("STAFF_OIDC_OPERATORS")),
        second_factor=frozenset(env.texts("STAFF_OIDC_SECOND_FACTOR")),
        acr_values=env.text("STAFF_OIDC_ACR_VALUES"),
    )
    if not issuer:
        return None
    if env.parts("STAFF_OIDC_ISSUER", issuer).scheme not in ("https", "http"):
        raise InvalidVariable("STAFF_OIDC_ISSUER", f"is {issuer!r}: it is the https:// address of an OpenID provider.")
    for name, given in (("CLIENT_ID", provider.client_id), ("CLIENT_SECRET", provider.client_secret)):
        if not given:
            raise InvalidVariable(
                f"STAFF_OIDC_{name}", "is not set, and STAFF_OIDC_ISSUER is: the provider knows us by both."
            )
    if provider.operators and not provider.roles_claim:
        raise InvalidVariable("STAFF_OIDC_ROLES_CLAIM", "is not set, and STAFF_OIDC_OPERATORS names values of it.")
    return provider


def _roles(env: Environment) -> dict[str, tuple[str, ...]]:
    """A JSON object, because names of groups have commas and equals signs in them."""
    try:
        given = json.loads(env.text("STAFF_OIDC_ROLES", "{}"))
    except ValueError:
        given = None
    lists = {key: [each] if isinstance(each, str) else each for key, each in _items(given)}
    if not isinstance(given, dict) or not all(_are_roles(each) for each in lists.values()):
        raise InvalidVariable("STAFF_OIDC_ROLES", 'is no JSON object such as {"shop-support": ["acme:support"]}.')
    return {key: tuple(each) for key, each in lists.items()}


def _items(given: object) -> list[tuple[str, Any]]:
    return list(given.items()) if isinstance(given, dict) else []


def _are_roles(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) and ":" in each for each in values)
