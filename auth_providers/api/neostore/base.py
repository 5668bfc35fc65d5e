"""The Neostore contract: how it names the tenant, its problem bodies' and its other content types."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from auth_providers.api.neostore.records import Challenge, code_sent, code_shown_by_app
from auth_providers.login import second_factor
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from tenants.api.base import JsonOnly, UnknownPath
from tenants.api.bodies import JsonParser, JsonRenderer
from tenants.api.headers import header
from tenants.api.problems import PROBLEM, ProblemViewSet

OFFERED = ("application/json", "text/json", "text/plain")


class TextJsonParser(JsonParser):
    media_type = "text/json"


class SuffixJsonParser(JsonParser):
    """application/merge-patch+json and everything else that ends so (RFC 6839)."""

    media_type = "application/*+json"


class TextJsonRenderer(JsonRenderer):
    media_type = "text/json"


class PlainRenderer(JsonRenderer):
    media_type = "text/plain"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Text that is asked for as text comes without quotes; everything else is JSON all the same."""
        if isinstance(data, str):
            return data.encode()
        return super().render(data, accepted_media_type, renderer_context)


class ByAccept(BaseContentNegotiation):
    """The first offered type that `Accept` names, else JSON: there is no 406."""

    select_parser = JsonOnly.select_parser

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        asked = named_types(request)
        for renderer in renderers:
            if asked[:1] == [renderer.media_type]:
                return renderer, renderer.media_type
        return renderers[0], renderers[0].media_type


def named_types(request: Request) -> list[str]:
    """Those of the offered types that `Accept` names, in its order."""
    accepted = [part.split(";")[0].strip().lower() for part in header(request, "Accept").split(",")]
    return [media_type for media_type in accepted if media_type in OFFERED]


class NeostoreViewSet(ProblemViewSet):
    """Base of the contract's viewsets."""

    parser_classes = [JsonParser, TextJsonParser, SuffixJsonParser]
    renderer_classes = [JsonRenderer, TextJsonRenderer, PlainRenderer]
    content_negotiation_class = ByAccept

    def second_factor(self, due: SecondFactorDue) -> Challenge:
        """The first factor is proven: a code is sent, or the authenticator app shows one."""
        issued = second_factor.send_code(tenant=self.tenant, handle=due.handle, client=self.client)
        return code_shown_by_app(due) if issued is None else code_sent(issued, challenge_id=due.handle)

    def problem_type(self) -> str:
        asked = named_types(self.request)
        return asked[0] if asked else PROBLEM


class NeostoreUnknownPath(UnknownPath, NeostoreViewSet):
    """A path under the contract's prefix that it does not have."""
