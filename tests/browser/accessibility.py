"""What a page has to be like at every width and in every colour scheme: no violation that axe-core finds, nothing
blocked by the content security policy, no scrolling sideways on a telephone."""

from functools import cache
from typing import Any, Literal

from playwright.sync_api import Page

from tests import node_packages

WIDTHS = (1280, 390)  # pixels: a desk's, a telephone's
HEIGHT = 900
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# In the second scheme nothing but colours is another. Transitions between the two are over at once.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """
async (rules) => {
  document.body.offsetWidth;
  document.getAnimations().forEach(each => each.finish());
  const only = rules ? {runOnly: {type: "rule", values: rules}} : {};
  const {violations} = await axe.run(document, {resultTypes: ["violations"], preload: false, ...only});
  return violations.map(each => each.id + ": " + each.nodes.slice(0, 3).map(
    node => node.html.slice(0, 160) + " " + (node.any[0]?.message ?? "")).join(" | "));
}
"""
WIDER = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth"


@cache
def _axe() -> str:
    return (node_packages.installed() / "axe-core" / "axe.min.js").read_text()


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page that is open, each with where it was seen."""
    page.wait_for_load_state()
    page.evaluate(_axe())
    found: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            violations: list[Any] = page.evaluate(RUN, None if scheme == SCHEMES[0] else OF_COLOURS)
            found += [f"{width} {scheme} {each}" for each in violations]
        if (pixels := page.evaluate(WIDER)) > 0:
            found.append(f"{width}: scrolls sideways by {pixels} pixels")
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    page.emulate_media(color_scheme="light")
    return found
