"""The sector of several redirect URIs: a document that one host vouches for (OpenID Connect Core
8.1, Registration 5).
"""

from typing import Final
from urllib.parse import urlsplit

import orjson

from corpid.domain.errors import InvalidValue
from oidc.ports import FetchFailed, Outbound

MAX_BYTES: Final = 64 * 1024


async def vouched_sector(uri: str, redirect_uris: tuple[str, ...], outbound: Outbound) -> str:
    """The host of ``uri``, once its document lists every redirect URI.

    Raises:
        InvalidValue: the document is not to be had, is no list, or one is missing.
    """
    parts = urlsplit(uri)
    if parts.scheme != "https" or not parts.hostname:
        raise InvalidValue("the sector_identifier_uri must begin with https://")
    try:
        fetched = await outbound.get(uri, max_bytes=MAX_BYTES)
    except FetchFailed as error:
        raise InvalidValue(f"the sector_identifier_uri cannot be fetched: {error}") from None
    try:
        listed = orjson.loads(fetched.body)
    except orjson.JSONDecodeError:
        raise InvalidValue("the document at the sector_identifier_uri is not JSON") from None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise InvalidValue("the document at the sector_identifier_uri is not an array of texts")
    missing = [one for one in redirect_uris if one not in listed]
    if missing:
        raise InvalidValue(
            f"the document at the sector_identifier_uri does not list {', '.join(missing)}"
        )
    return parts.hostname.lower()
