"""The template language of a tenant's overrides: a part of Django's, which sees the facts of its mail alone and can't
cost more than a second.

What multiplies is left out: filters that widen a text or apply twice what they wrote, and tags that name a result, so
that a later one starts from it. A loop has a budget.
"""

import re
from collections.abc import Mapping

from django.template import Context, Engine, Library, Node, defaultfilters, defaulttags
from django.template.base import Parser, Token, TokenType

TAGS = ("comment", "if", "spaceless", "templatetag", "verbatim")
FILTERS = (
    *("capfirst", "default", "default_if_none", "escape", "first", "last", "length", "linebreaks", "linebreaksbr"),
    *("lower", "pluralize", "safe", "title", "truncatechars", "truncatewords", "upper", "urlencode", "yesno"),
)
# In characters; the largest of our own mails has 3,000, with its frame.
MAX_SOURCE = 50_000
MAX_OUTPUT = 1_000_000
# Of the template's characters, how many all turns of all loops may run through.
MAX_LOOPED = 50_000
MAX_FILTERS = 4  # of one expression
MAX_FILTERED = 500  # filters of a template
MAX_EXPRESSIONS = 1_500  # of a template: what is filled in, and tags
MAX_EXPRESSION = 2_000  # characters of one
# Characters that these count for in a loop.
TURN_COST, EXPRESSION_COST, FILTER_COST = 10, 30, 50
# For each that is open Django reads to the end of the line: that is quadratic.
MAX_OPEN = 100  # of one line
BRACKETS = (("{{", "}}"), ("{%", "%}"), ("{#", "#}"))
SPENT = "characters that loops ran through"  # the key of that number in a rendering
EXPRESSION = re.compile(r"\{[{%].*?[%}]\}")


class TooCostly(Exception):
    """The template is too large, or would write or compute too much."""


class _Turn(Node):
    """Stands at the end of a loop's body and takes each turn from the budget of the rendering."""

    def __init__(self, cost: int) -> None:
        self.cost = cost

    def render(self, context: Context) -> str:
        looped = (context.render_context.get(SPENT) or 0) + self.cost
        if looped > MAX_LOOPED:
            raise TooCostly("its loops run too often")
        context.render_context[SPENT] = looped
        return ""


def _for(parser: Parser, token: Token) -> defaulttags.ForNode:
    before = list(parser.tokens)  # the next one is the last
    node = defaulttags.do_for(parser, token)
    body = before[len(parser.tokens) :]
    cost = TURN_COST + sum(_cost(each) for each in body if isinstance(each, Token))
    vars(node)["nodelist_loop"].append(_Turn(cost))  # whose type in the stubs is a list of texts
    return node


def _cost(token: Token) -> int:
    is_text = token.token_type is TokenType.TEXT
    return len(token.contents) + (0 if is_text else EXPRESSION_COST + FILTER_COST * token.contents.count("|"))


def engine(*, string_if_invalid: str = "") -> Engine:
    """An engine that has no loaders, no libraries and, of tags and filters, those above."""
    library = Library()
    library.tags = {name: defaulttags.register.tags[name] for name in TAGS} | {"for": _for}
    library.filters = {name: defaultfilters.register.filters[name] for name in FILTERS}
    found = Engine(
        libraries={},
        loaders=[("django.template.loaders.locmem.Loader", {})],
        string_if_invalid=string_if_invalid,
    )
    found.template_builtins = [library]
    return found


def render(source: str, context: Mapping[str, object], *, on: Engine, autoescape: bool = True) -> str:
    """The template with the facts filled in. Raises `TooCostly`, and whatever Django raises."""
    _check(source)
    rendered = on.from_string(source).render(Context(dict(context), autoescape=autoescape))
    if len(rendered) > MAX_OUTPUT:
        raise TooCostly(f"it becomes more than {MAX_OUTPUT} characters")
    return rendered


def _check(source: str) -> None:
    """Raises `TooCostly` for what would cost too much before anything is rendered."""
    if len(source) > MAX_SOURCE:
        raise TooCostly(f"it has more than {MAX_SOURCE} characters")
    if any(_count_open(line) > MAX_OPEN for line in source.split("\n")):
        raise TooCostly("too many braces are not closed")
    expressions = EXPRESSION.findall(source)
    if any(len(expression) > MAX_EXPRESSION for expression in expressions):
        raise TooCostly(f"an expression has more than {MAX_EXPRESSION} characters")
    filters = [expression.count("|") for expression in expressions]
    if any(count > MAX_FILTERS for count in filters):
        raise TooCostly(f"an expression has more than {MAX_FILTERS} filters")
    if len(filters) > MAX_EXPRESSIONS:
        raise TooCostly(f"it has more than {MAX_EXPRESSIONS} expressions")
    if sum(filters) > MAX_FILTERED:
        raise TooCostly(f"it has more than {MAX_FILTERED} filters")


def _count_open(line: str) -> int:
    return max(line[line.rfind(end) + 1 :].count(start) for start, end in BRACKETS)
