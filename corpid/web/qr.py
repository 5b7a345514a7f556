"""QR codes as part of a page: drawn by attributes, for the policy allows no style of its own."""

import segno
from markupsafe import Markup


def qr_code(text: str) -> Markup:
    """An SVG element: dark on light in either colour scheme, with a margin, as scanners want."""
    drawn = segno.make(text, micro=False, error="m").svg_inline(
        omitsize=True, svgclass=None, lineclass=None, dark="#000", light="#fff", border=4
    )
    return Markup(drawn)  # noqa: S704 - lines between numbers, whatever the text is
