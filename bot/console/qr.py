"""A picture that an authenticator app reads: drawn here, as nothing is asked of another site."""

from __future__ import annotations

import segno
from markupsafe import Markup


def picture(address: str) -> Markup:
    """`address` as a QR code: an SVG without script or style, black on white in any colours."""
    code = segno.make(address, error="m", micro=False)
    drawn = code.svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return Markup(drawn)  # made of numbers alone; the address is not in it
