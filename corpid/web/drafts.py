"""What somebody typed into a form before they had to sign in once more: their browser keeps it.

It is text of theirs that comes back into a form of theirs, to be read and sent again. Nothing is
decided on it.
"""

from collections.abc import Mapping
from typing import Final

import orjson

from corpid.services.sessions import CookieRules
from keys import base64url
from keys.errors import MalformedEncoding

SECONDS: Final = 900
MOST: Final = 2000
"""Characters of the cookie."""
_NAME: Final = "draft"


class Drafts:
    """One at a time in each browser, for a quarter of an hour."""

    def __init__(self, cookies: CookieRules) -> None:
        self._cookies = cookies

    def keep(self, place: str, typed: Mapping[str, str]) -> str:
        """The Set-Cookie header by which it is kept; what is short enough comes back."""
        value = base64url.encode(orjson.dumps([place, dict(typed)]))
        return self._cookies.keep(_NAME, value, SECONDS)

    def of(self, cookies: Mapping[str, str], place: str) -> dict[str, str] | None:
        """What was typed at that place; None where nothing is kept."""
        value = cookies.get(self._cookies.name(_NAME), "")
        if not 0 < len(value) <= MOST:
            return None
        try:
            kept = orjson.loads(base64url.decode(value))
        except (MalformedEncoding, orjson.JSONDecodeError):
            return None
        if not isinstance(kept, list) or len(kept) != 2 or kept[0] != place:
            return None
        typed = kept[1]
        if not isinstance(typed, dict):
            return None
        return {name: text for name, text in typed.items() if isinstance(text, str)}

    def forget(self) -> str:
        """The Set-Cookie header by which it is gone."""
        return self._cookies.clear(_NAME)
