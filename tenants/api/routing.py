"""Finding a contract's path in one match, however many the contract has."""

import re
from collections.abc import Sequence
from functools import cached_property

from django.urls import ResolverMatch, URLPattern, URLResolver
from django.urls.exceptions import Resolver404
from django.urls.resolvers import RoutePattern

# Of a group the beginning, unless it captures nothing already or is an escaped bracket.
CAPTURING = re.compile(r"(?<!\\)\((?:\?P<[^>]+>)?(?!\?)")


class OneMatchResolver(URLResolver):
    """As `include`, of patterns without prefix. Django tries each of them in turn; here one expression of all says
    which it is, the first of those that match."""

    def __init__(self, patterns: Sequence[URLPattern]) -> None:
        super().__init__(RoutePattern("", is_endpoint=False), list(patterns))

    @cached_property
    def _every(self) -> re.Pattern[str]:
        """Of each pattern a group, in their order."""
        texts = [CAPTURING.sub("(?:", each.pattern.regex.pattern) for each in self.url_patterns]
        return re.compile("|".join(f"({text})" for text in texts))

    def resolve(self, path: str) -> ResolverMatch:
        """Raises `Resolver404`."""
        found = self._every.fullmatch(path)
        match = self.url_patterns[found.lastindex - 1].resolve(path) if found and found.lastindex else None
        if not isinstance(match, ResolverMatch):
            raise Resolver404({"tried": [], "path": path})
        return match
