"""What a person may know a browser by: family and system, no more of the User-Agent than that."""

from typing import Final

# The first that is found counts: browsers name those that they want to be taken for as well.
_FAMILIES: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_MAX_READ: Final = 512


def browser_label(user_agent: str) -> str:
    """Such as "Firefox, Windows"; empty where nothing is recognised."""
    read = user_agent[:_MAX_READ]
    found = (_first(read, _FAMILIES), _first(read, _SYSTEMS))
    return ", ".join(name for name in found if name)


def _first(text: str, marks: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in marks if mark in text), "")
