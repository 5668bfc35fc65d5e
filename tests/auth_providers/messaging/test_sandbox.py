"""A tenant's override can't cost more than a second, whatever it says."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.template import TemplateSyntaxError

from auth_providers.messaging import sandbox

# As long as they get, of what makes filters write the most.
FACTS = {"token": "&" * 255, "user_agent": "%" * 255, "link": "https://shop.example/?" + "é&'" * 150}
SECONDS = 1.0
FILTERS = "|".join(["urlencode"] * sandbox.MAX_FILTERS)
LONG = sandbox.MAX_SOURCE
HOSTILE = {
    "a wide text": "{{ token|ljust:'300000000' }}",
    "a wide text in the middle": "{{ token|center:'300000000' }}",
    "a wide number": "{{ token|length|stringformat:'0300000000d' }}",
    "many decimals": "{{ token|length|floatformat:300000000 }}",
    "lorem ipsum": "{% lorem 300000000 w %}",
    "doubled and doubled": "{% with a=token|add:token %}{% with b=a|add:a %}{{ b|add:b }}{% endwith %}{% endwith %}",
    "joined with itself": "{{ token|join:link|join:link|join:link|join:link }}",
    "doubled backslashes": "{{ token" + "|addslashes" * 40 + " }}",
    "a result that is named": "{% firstof link|urlencode as link %}" * 1_350 + "{{ link }}",
    "a filter of a filter": "{% filter urlencode %}" * 200 + "%" + "{% endfilter %}" * 200,
    "many filters": "{{ link" + "|urlencode" * 4_900 + " }}",
    "many filters in a loop": "{% for a in link %}{{ link" + "|urlencode" * 500 + " }}{% endfor %}",
    "nested loops": "{% for a in link %}" * 6 + "x" + "{% endfor %}" * 6,
    "nested loops of nothing": "{% for a in link %}" * 6 + "{% endfor %}" * 6,
    "a loop of much": "{% for a in link %}" + "x" * (LONG - 50) + "{% endfor %}",
    "many loops": "{% for a in link %}x{% endfor %}" * (LONG // 33),
    "deep conditions": "{% if link %}" * 2_000 + "{% endif %}" * 2_000,
    "a long condition": "{% if link" + " and link" * (sandbox.MAX_EXPRESSION // 10) + " %}x{% endif %}",
    "a longer condition": "{% if link" + " and link" * 5_400 + " %}x{% endif %}",
    "much that is filled in": "{{link}}" * sandbox.MAX_EXPRESSIONS,
    "more that is filled in": "{{link}}" * (LONG // 8),
    "filled in in a loop": "{% for a in link %}{{link}}{% endfor %}",
    "much that is filtered": ("{{link|" + FILTERS + "}}") * (sandbox.MAX_FILTERED // sandbox.MAX_FILTERS),
    "more that is filtered": ("{{link|" + FILTERS + "}}") * (LONG // 52),
    "filtered in a loop": "{% for a in link %}{{link|" + FILTERS + "}}{% endfor %}",
    "much that is titled": "{{link|title}}" * sandbox.MAX_FILTERED,
    "too much": "x" * (LONG + 1),
    "open braces": "{{" * (LONG // 2),
    "open tags": "{%" * (LONG // 2),
    "open comments": "{#" * (LONG // 2),
    "open braces, closed at the end": "{{" * (LONG // 2 - 1) + "}}",
    "open braces and tags": "{{{%" * (LONG // 4 - 1) + "%}",
    "open lines": ("{{" * 100 + "\n") * (LONG // 201),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_templates_end_within_a_second_and_write_little(kind: str) -> None:
    started, rendered = time.process_time(), ""
    with suppress(TemplateSyntaxError, sandbox.TooCostly, RecursionError):
        rendered = sandbox.render(HOSTILE[kind], FACTS, on=sandbox.engine())
    assert time.process_time() - started < SECONDS
    assert len(rendered) <= sandbox.MAX_OUTPUT


@pytest.mark.parametrize(
    "kind",
    [
        "nested loops",
        "nested loops of nothing",
        "a loop of much",
        "many loops",
        "too much",
        "more that is filtered",
        "more that is filled in",
    ],
)
def test_what_costs_too_much_is_told(kind: str) -> None:
    with pytest.raises(sandbox.TooCostly):
        sandbox.render(HOSTILE[kind], FACTS, on=sandbox.engine())


@pytest.mark.parametrize("turns", [500, 501])
def test_a_loop_may_run_through_fifty_thousand_characters(turns: int) -> None:
    """A hundred for each turn: ten, its text, and those that the end of the loop counts for."""
    source, facts = "{% for each in kept %}" + "x" * 54 + "{% endfor %}", {"kept": ["y"] * turns}
    if turns == 500:
        assert len(sandbox.render(source, facts, on=sandbox.engine())) == 54 * turns
        return
    with pytest.raises(sandbox.TooCostly):
        sandbox.render(source, facts, on=sandbox.engine())


def expression(length: int) -> str:
    """A single one that is so long, and valid."""
    start, end = "{% if token == '", "' %}{% endif %}"
    return start + "x" * (length - len(start) - len("' %}")) + end


@pytest.mark.parametrize(
    ("at_most", "source"),
    [
        (50_000, lambda count: "x" * count),
        (4, lambda count: "{{ token" + "|upper" * count + " }}"),
        (500, lambda count: "{{ token|upper }}" * count),
        (1_500, lambda count: "{{ token }}" * count),
        (2_000, expression),
        (100, lambda count: "{{" * count + " }}" + "{{" * count),
        (1_000_000, lambda count: "{{ big }}" + "x" * (count - 999_000)),
    ],
    ids=["characters", "filters", "all filters", "expressions", "an expression", "open braces", "output"],
)
def test_both_sides_of_a_limit(at_most: int, source: Callable[[int], str]) -> None:
    facts = {"token": "a", "big": "x" * 999_000}
    with suppress(TemplateSyntaxError):  # many braces are none, however few
        sandbox.render(source(at_most), facts, on=sandbox.engine())
    with pytest.raises(sandbox.TooCostly):
        sandbox.render(source(at_most + 1), facts, on=sandbox.engine())


def test_ordinary_templates_render() -> None:
    source = (
        "{% if link %}{{ name|default:'Ada'|upper }} {{ email|urlencode }}{% endif %}"
        "{% for each in kept %}{{ forloop.counter }}. {{ each }}{% if not forloop.last %}, {% endif %}"
        "{% empty %}-{% endfor %}"
    )
    facts = {"link": "x", "email": "a+b@example.com", "kept": ["name", "number"]}
    assert sandbox.render(source, facts, on=sandbox.engine()) == "ADA a%2Bb%40example.com1. name, 2. number"


def test_facts_are_escaped_in_html_alone() -> None:
    facts = {"name": "<Ada>"}
    assert sandbox.render("{{ name }}", facts, on=sandbox.engine()) == "&lt;Ada&gt;"
    assert sandbox.render("{{ name }}", facts, on=sandbox.engine(), autoescape=False) == "<Ada>"
