"""How our pages look like the shop's: its colour in a stylesheet."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tenants.directory import UnknownTenant, get_tenant

MAX_AGE = 300  # seconds
# WCAG 2.2, "relative luminance" and "contrast ratio".
RED, GREEN, BLUE = 0.2126, 0.7152, 0.0722
LINEAR_UP_TO = 0.04045


@require_safe
def stylesheet(request: HttpRequest, tenant: str) -> HttpResponse:
    """`/pages/{tenant}/brand.css`: the shop's colour, and what is read on it. The content security policy allows no
    style in a page."""
    try:
        color = get_tenant(tenant).brand_color
    except UnknownTenant:
        return HttpResponse(status=404, content_type="text/css")
    response = HttpResponse(
        f":root {{ --brand: {color}; --on-brand: {readable_on(color)}; }}\n", content_type="text/css"
    )
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
    return response


def readable_on(color: str) -> str:
    """Black or white, whichever has more contrast on this colour, `#rrggbb`: 4.58 at least."""
    luminance = _luminance(color)
    on_white, on_black = 1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05
    return "#ffffff" if on_white >= on_black else "#000000"


def _luminance(color: str) -> float:
    red, green, blue = (_linear(int(color[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return RED * red + GREEN * green + BLUE * blue


def _linear(part: float) -> float:
    return float(part / 12.92 if part <= LINEAR_UP_TO else ((part + 0.055) / 1.055) ** 2.4)
