"""REST framework's viewsets without what no contract uses.

Its dispatch makes parsers, authenticators and negotiators anew for each request, binds each method's action to the
instance, and leaves the rendering to Django's templates. That cost a profile read as much as its two statements. Here
what a viewset is made of is made once for each class, and an answer is rendered when the action has returned.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet


class LeanViewSet(ViewSet):
    """Base of the viewsets. Parsers, authenticators, renderers and negotiators keep no state of a request; permissions
    are the view's (`get_permissions`)."""

    methods: tuple[str, ...] = ()  # what `Allow` says

    @classmethod
    def as_view(cls, actions: dict[str, Any] | None = None, **initkwargs: Any) -> Any:
        """The view for these actions by method. HEAD does what GET does unless the actions say otherwise."""
        actions = dict(actions or {})
        if "get" in actions:
            actions.setdefault("head", actions["get"])
        methods = tuple(name.upper() for name in cls.http_method_names if name in actions)

        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            self = cls(**initkwargs)
            self.action_map, self.methods = actions, methods
            return self.dispatch(request, *args, **kwargs)

        view.__name__, view.__doc__, view.__module__ = cls.__name__, cls.__doc__, cls.__module__
        # Known to drf-spectacular and Django's middleware under these names.
        for name, value in {"cls": cls, "actions": actions, "initkwargs": initkwargs, "csrf_exempt": True}.items():
            setattr(view, name, value)
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request: `initial`, the action, and what any failure is rendered as."""
        self.args, self.kwargs = args, kwargs
        self.request = wrapped = self.initialize_request(request, *args, **kwargs)
        try:
            self.initial(wrapped, *args, **kwargs)
            response = getattr(self, str(self.action))(wrapped, *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        final = self.finalize_response(wrapped, response, *args, **kwargs)
        if isinstance(final, Response):
            _render(final)
        return final

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """The request with what reads it."""
        self.action = self.action_map.get((request.method or "").lower(), "")
        context = {"view": self, "args": args, "kwargs": kwargs}
        return Request(
            request,
            parsers=_instances(tuple(self.parser_classes)),
            authenticators=_instances(tuple(self.authentication_classes)),
            negotiator=self.get_content_negotiator(),
            parser_context=context,
        )

    def get_content_negotiator(self) -> BaseContentNegotiation:
        return _instances((self.content_negotiation_class,))[0]  # type: ignore[no-any-return]

    def get_renderers(self) -> Any:
        return _instances(tuple(self.renderer_classes))

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """The answer, not rendered yet, with the headers that every answer has."""
        if getattr(request, "accepted_renderer", None) is None:
            request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request, True)
        response.accepted_renderer = request.accepted_renderer
        response.accepted_media_type = request.accepted_media_type
        response.headers["Allow"] = ", ".join(self.methods)
        if len(self.renderer_classes) > 1:
            patch_vary_headers(response, ("Accept",))
        return response


@cache
def _instances(classes: tuple[Callable[[], Any], ...]) -> tuple[Any, ...]:
    return tuple(each() for each in classes)


def _render(response: Response) -> None:
    """As `Response.rendered_content`, in bytes and for renderers that are told the media type alone."""
    renderer: Any = response.accepted_renderer
    body = renderer.render(response.data, response.accepted_media_type)
    if body:
        response.headers["Content-Type"] = response.content_type or renderer.media_type
    else:
        del response.headers["Content-Type"]
    response.content = body
