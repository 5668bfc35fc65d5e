"""The shop's own system, which is asked who a customer is."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from auth_providers.outbound import http_client, webhook_signature
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import oidc
from auth_providers.providers.kind import Entries, Entry, Problems, ProviderKind

ALLOWED, REFUSED = 200, (401, 403)
LONGEST_REASON = 200  # characters


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """The address of the system's endpoint, and which of the credentials names the account, such as the number of a
    card; "" where none is said to."""

    url: str
    account_field: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Whose credentials they are; None when the system refuses them, for a reason that it may give."""

    identity: oidc.Identity | None
    reason: str = ""


class Webhook(ProviderKind[WebhookSettings]):
    """What is sent is signed with the client secret (Standard Webhooks)."""

    name = "webhook"
    label = "Webhook: the shop's own system says who it is"
    help = "Your own system is asked who a customer is, such as by the number of a card. The client secret signs."
    needs = ("client_secret",)
    fields = ("client_secret", "issuer", "is_provisioning", "is_linking_by_email")
    labels = {"client_secret": "Secret that signs the questions", "issuer": "Name of the system as an address"}
    entries = (
        Entry(name="url", label="Address that is asked", help="Of your system, https."),
        Entry(
            name="account_field",
            label="Field that names the account",
            help="Of what the storefront sends, such as the number of a card: guesses for one account are slowed down.",
        ),
    )

    def read_settings(self, entries: Entries) -> WebhookSettings:
        """The entries are `url` and `account_field`."""
        return WebhookSettings(url=entries.text("url", is_needed=True), account_field=entries.text("account_field"))

    def called_addresses(self) -> Iterator[tuple[str, str]]:
        """The endpoint's, too."""
        yield from super().called_addresses()
        yield "settings", self.settings.url

    def problems(self, secret: str) -> Problems:
        """The secret is none that signs, too."""
        yield from super().problems(secret)
        if secret and not webhook_signature.is_secret(secret):
            yield "client_secret", webhook_signature.NO_SECRET

    def test(self) -> str:
        """Nothing: a question about nobody would look like an attack."""
        return "It is asked only when somebody logs in, so there is nothing to try."

    @property
    def issuer(self) -> str:
        """Whose subjects they are: the issuer that staff gave the provider, or the endpoint's origin. The endpoint has
        no say in it, or else one could pass itself off as another."""
        if self.provider.issuer:
            return self.provider.issuer
        url = urlsplit(self.settings.url)
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"

    def ask(self, question: bytes) -> Answer:
        """What the system answers to a question in JSON. Raises `ProviderUnavailable`, also for what makes no sense."""
        headers = webhook_signature.signed(self.client_secret, webhook_signature.new_id(), question)
        status, content = http_client.post_json(self.settings.url, question, headers=headers, system=self.name)
        if status in REFUSED:
            return Answer(identity=None, reason=f"it answered {status}")
        if status != ALLOWED:
            raise _nonsense(f"It answered {status}.")
        return self._read(_parsed(content))

    def _read(self, answer: dict[str, object]) -> Answer:
        if answer.get("allowed") is False:
            return Answer(identity=None, reason=_reason(answer.get("reason")))
        claims = answer.get("claims")
        if answer.get("allowed") is not True or not isinstance(claims, dict):
            raise _nonsense("It says neither whom it lets in nor that it lets nobody in.")
        try:
            return Answer(identity=oidc.identity_of(claims | {"iss": self.issuer}))
        except oidc.TokenRefused as error:
            raise _nonsense("It lets somebody in and does not say whom.") from error


def _parsed(content: bytes) -> dict[str, object]:
    """The JSON object, free of what a database can't store."""
    try:
        parsed = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _nonsense("Its answer is not JSON.") from error
    if not isinstance(parsed, dict) or "\0" in _texts(parsed):
        raise _nonsense("Its answer is not an object of plain texts.")
    return parsed


def _texts(root: object) -> str:
    """Every text in it, end to end."""
    found, waiting = [], [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
    return "".join(found)


def _reason(text: object) -> str:
    """What the system says, for the audit trail: one line of printable characters, "" when it gives none."""
    if not isinstance(text, str):
        return ""
    return "".join(character if character.isprintable() else " " for character in text)[:LONGEST_REASON]


def _nonsense(message: str) -> ProviderUnavailable:
    return ProviderUnavailable(message, retry_after=http_client.RETRY_AFTER)
