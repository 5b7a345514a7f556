"""Reading what browsers send to the pages, with bounds."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

from oidc.errors import InvalidRequest, PayloadTooLarge
from oidc.request import parse_parameters, read_cookies

MAX_FORM_BYTES: Final = 16 * 1024
MAX_LANGUAGE_HEADER: Final = 1024
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form.

    Raises:
        InvalidRequest: it is no form, or malformed.
        PayloadTooLarge: it is longer than any form of ours.
    """
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != _FORM_TYPE:
        raise InvalidRequest("send the form as application/x-www-form-urlencoded")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise PayloadTooLarge(f"the form is larger than {MAX_FORM_BYTES} bytes")
    return parse_parameters(bytes(body))


def cookies_of(request: Request) -> Mapping[str, str]:
    """The cookies as the protocols' endpoints read them: where two have a name, both readers take
    the same one, or a page could be another person's than the answer that it leads to.
    """
    return read_cookies(request.scope)


def accepted_languages(request: Request) -> str:
    """The Accept-Language header, cut to what is worth reading."""
    return request.headers.get("accept-language", "")[:MAX_LANGUAGE_HEADER]
