"""A browser that reads pages as HTML: forms, labels, links and ids, and no script."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

from tests.support.asgi import Loopback

ISSUER = "https://id.example.hk"
REDIRECT = "https://rp.sample-bank.example/callback"


@dataclass
class Form:
    """A form as a browser sees it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    inputs: list[dict[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """What a page is made of; fails on nothing, so the tests look."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.forms: list[Form] = []
        self.links: list[dict[str, str]] = []
        self.labels: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.language = ""
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "html":
            self.language = given["lang"]
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        elif tag == "a":
            self.links.append(given)
        elif tag == "label":
            self.labels.append(given["for"])
        elif tag in ("input", "button"):
            self._control(tag, given)

    def _control(self, tag: str, given: dict[str, str]) -> None:
        form = self.forms[-1]
        name = given.get("name", "")
        if tag == "button":
            form.buttons.append((name, given.get("value", "")))
            return
        form.inputs.append(given)
        form.names.append(name)
        if given.get("type") == "radio":
            if "checked" in given:
                form.fields[name] = given["value"]
            return
        form.fields[name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        self.text += data

    def form_with(self, name: str) -> Form:
        """The form that has this field or button."""
        for form in self.forms:
            if name in form.names or name in dict(form.buttons):
                return form
        raise AssertionError(f"no form has {name}: {self.text}")


class Browser:
    """Keeps cookies, follows our own redirects, and stops at anybody else's."""

    def __init__(self, app: Any, language: str = "en") -> None:
        self.client = httpx2.AsyncClient(
            transport=Loopback(app),
            base_url=ISSUER,
            headers={"accept-language": language},
        )
        self.response: httpx2.Response
        self.url = ISSUER

    @property
    def page(self) -> Page:
        return Page(self.response.text)

    @property
    def answer(self) -> dict[str, str]:
        """The authorization response that the browser was sent away with."""
        assert self.response.status_code == 303, self.response.text
        location = self.response.headers["location"]
        assert location.startswith(REDIRECT), location
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    async def get(self, path: str, **headers: str) -> "Browser":
        self.url = urljoin(self.url, path)
        self.response = await self.client.get(self.url, headers=headers)
        return await self._follow()

    async def post(self, path: str, form: Mapping[str, str]) -> "Browser":
        self.url = urljoin(self.url, path)
        self.response = await self.client.post(self.url, data=dict(form))
        return await self._follow()

    async def submit(self, **values: str) -> "Browser":
        """Fill in and send the form that has these fields; a button is given as ``action``."""
        form = self.page.form_with(next(iter(values)))
        return await self.post(form.action or self.url, {**form.fields, **values})

    async def _follow(self) -> "Browser":
        while self.response.status_code == 303:
            target = urljoin(self.url, self.response.headers["location"])
            if not target.startswith(f"{ISSUER}/"):
                break
            self.url = target
            self.response = await self.client.get(target)
        return self
