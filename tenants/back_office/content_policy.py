"""What a browser may load for our pages and for a mail that staff look at."""

from tenants.models import Tenant

# Of every page: no inline script or style, nothing from another origin, in no frame (OWASP ASVS 5.0, 3.4.3).
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Of a page that shows another one of ours in a frame.
WITH_FRAME = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"


def of_mail(tenant: Tenant) -> str:
    """Of a mail of the shop's own words in a frame of ours: the styles in it and the shop's logo. No script, no form,
    no other image, which would tell its host who looks when. `sandbox` holds where it is opened by itself, too."""
    images = f"data: {tenant.logo_origin}".strip()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {images}; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; sandbox"
    )
