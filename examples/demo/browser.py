"""A representative's browser, as far as plain forms need one."""

import base64
import hashlib
import hmac
import ssl
import struct
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx2


@dataclass
class Form:
    """The main form of a page: where it goes, what it holds, what can be chosen."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.title = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "title":
            self._in_title = True
        elif tag == "form" and values.get("method", "").lower() == "post":
            self.forms.append(Form(values.get("action", "")))
        elif tag in ("input", "button") and self.forms and values.get("name"):
            form = self.forms[-1]
            if values.get("type") in ("radio", "submit") or tag == "button":
                form.choices.setdefault(values["name"], []).append(values.get("value", ""))
            else:
                form.fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data


class Browser:
    """Follows redirects within the service, and stops at the relying party's address."""

    def __init__(self, home: str, authority: Path | None = None) -> None:
        """``authority`` is the certificate of one to trust for https, and no other; without it
        nobody is, for homes that speak http.
        """
        trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if authority:
            trusted.load_verify_locations(authority)
        self.home = home
        self._http = httpx2.Client(follow_redirects=False, timeout=10, verify=trusted)
        self._address = ""
        self.form: Form | None = None
        self.title = ""

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def address(self) -> str:
        """Where the browser is: a page of the service, or the relying party's address."""
        return self._address

    def open(self, url: str) -> str:
        """Go there; the address where it ends: a page of the service, or the relying party's."""
        return self._arrive(url, self._http.get(url))

    def submit(self, **values: str) -> str:
        """Send the page's form with these values; the address where it ends."""
        assert self.form is not None
        target = urljoin(self._address, self.form.action)
        body = {**self.form.fields, **values}
        return self._arrive(target, self._http.post(target, data=body))

    def _arrive(self, url: str, response: httpx2.Response) -> str:
        while response.is_redirect:
            url = urljoin(url, response.headers["location"])
            if not url.startswith(self.home):
                self._address, self.form = url, None
                return url
            response = self._http.get(url)
        page = _Forms()
        page.feed(response.text)
        self._address, self.title = url, page.title.strip()
        self.form = page.forms[0] if page.forms else None
        return url


def one_time_code(secret: str) -> str:
    """The code that an authenticator app shows now (RFC 6238)."""
    padded = secret + "=" * (-len(secret) % 8)
    step = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(padded), step, hashlib.sha1)
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
