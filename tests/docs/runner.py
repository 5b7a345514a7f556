"""Runs a document: its commands, requests and samples, in the order in which they stand.

console   lines that begin with "$ " are commands; what stands below one must be in its output
http      a request is sent as it stands, a response must have the same members and values
json      compared with what the comment before it names
python    executed; what `print(...)  # text` prints must be that text

`$NAME` in a command or request is a value that an earlier answer gave, or that a client makes.
"""

import ast
import contextlib
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from inspect import iscoroutine
from typing import Any

import httpx2

from tests.docs.reading import Block, Document
from tests.docs.site import DocumentSite

_NAME = re.compile(r"\$([A-Z][A-Z0-9_]*)")
_PRINTED = re.compile(r"^\s*print\(.*\)  # (?P<text>.*)$", re.MULTILINE)
# Values that differ from run to run: they must have the form of those that are shown.
_VARYING = frozenset(
    {"sub", "mandate_id", "sid", "at_hash", "iat", "exp", "auth_time", "idx", "jti", "nonce"}
    | {"client_id_issued_at", "valid_from", "valid_until", "as_of", "jkt", "notification_id"}
)
_DIGITS, _LETTERS = re.compile(r"[0-9]"), re.compile(r"[A-Za-z_-]")
Make = Callable[["Runner", Mapping[str, str]], str]


class Runner:
    """One document and its temporary service."""

    def __init__(self, site: DocumentSite, document: Document) -> None:
        self.site = site
        self.document = document
        self.known: dict[str, str] = {}
        self.makers: dict[str, Make] = {}
        self.namespace: dict[str, Any] = {}
        self.documents: dict[str, Any] = {}
        self.sign_in_as = ""
        self._response: httpx2.Response | None = None
        self._redirect = ""

    def run(self, before: Mapping[str, Callable[["Runner"], None]] | None = None) -> None:
        """Every block in its order; ``before`` are what tests do before a block that says so."""
        for block in self.document.blocks:
            try:
                if before is not None and block.check in before:
                    before[block.check](self)
                self._do(block)
            except AssertionError as error:
                raise AssertionError(f"{self.document.name}:{block.line}: {error}") from error

    def _do(self, block: Block) -> None:
        match block.language:
            case "console":
                for command, shown in _commands(block.text):
                    self._command(command, shown)
            case "http":
                self._http(block.text)
            case "json" if block.check:
                same(json.loads(block.text), self.documents[block.check], self)
            case "python":
                self._python(block.text)

    # Commands

    def _command(self, command: str, shown: list[str]) -> None:
        words = [self._filled(word) for word in shlex.split(command)]
        if words[:2] == ["python", "-m"] and words[2] == "corpid.web":
            self.site.start()
            return
        if words[0] == "curl":
            address = words[-1].replace(":8080", f":{self.site.site.port}")
            address = address.replace(":9000", f":{self.site.operations_port}")
            output = self.site.get(address).text
        elif words[0] == "export":
            for setting in words[1:]:
                name, _, value = setting.partition("=")
                assert name in self.site.cli.environment, f"{name} is not a setting that is tried"
                assert value
            return
        else:
            assert words[0] == "corpid", f"{command}: nothing runs this"
            output = self._corpid(words[1:], as_json=not shown)
        actual = [" ".join(line.split()) for line in self.site.written(output).splitlines()]
        for line in shown:
            pattern = _wildcards(" ".join(line.split()))
            assert any(pattern.fullmatch(one) for one in actual), f"{command}: no {line!r}"

    def _corpid(self, words: list[str], *, as_json: bool) -> str:
        if as_json and "--json" not in words:
            words = [*words, "--json"]
        outcome = self.site.cli.run(*words)
        assert outcome.exit_code == 0, f"corpid {' '.join(words)}: {outcome.stdout}"
        if "--json" in words:
            self._learn(json.loads(outcome.stdout))
        return outcome.stdout + outcome.stderr

    def _learn(self, document: Any) -> None:
        """Ids for later commands: ``mandate_id`` becomes $MANDATE."""
        rows = document if isinstance(document, list) else [document]
        for row in rows:
            for name, value in row.items():
                if name.endswith("_id") and isinstance(value, str):
                    self.known[name.removesuffix("_id").upper()] = value
            if "totp_secret" in row:
                self.site.people[row["username"]] = row
            if "link" in row:
                self.documents["offer"] = row

    def _filled(self, text: str, about: Mapping[str, str] | None = None) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in self.makers:
                return self.makers[name](self, about or {})
            assert name in self.known, f"nothing gave ${name} a value"
            return self.known[name]

        return _NAME.sub(value, self.site.real(text))

    # Requests and responses

    def _http(self, text: str) -> None:
        head, _, body = text.partition("\n\n")
        first, *rest = head.splitlines()
        headers = dict(line.split(": ", 1) for line in rest)
        if first.startswith("HTTP/1.1 "):
            self._compare(int(first.split()[1]), headers, body)
        else:
            method, target, _ = first.split(" ")
            self._send(method, target, headers, body)

    def _send(self, method: str, target: str, headers: dict[str, str], body: str) -> None:
        url = self.site.issuer + self._filled(target)
        if target.startswith("/authorize"):
            self._redirect = self.site.sign_in(url, self.sign_in_as)
            return
        about = {"method": method, "url": url}
        headers.pop("Host", None)
        filled = {name: self._filled(value, about) for name, value in headers.items()}
        content = "".join(self._filled(line, about) for line in body.splitlines())
        self.site.start()
        self._response = httpx2.request(method, url, headers=filled, content=content, timeout=10)

    def _compare(self, status: int, headers: dict[str, str], body: str) -> None:
        if status == 303:
            shown = dict(_query(headers["Location"]))
            real = dict(_query(self._redirect))
            same(shown, real, self)
            return
        response = self._response
        assert response is not None
        assert response.status_code == status, response.text
        for name, value in headers.items():
            actual = self.site.written(response.headers[name])
            assert _wildcards(value).fullmatch(actual), f"{name}: {actual}"
        if body:
            same(json.loads(body), response.json(), self)

    # Samples

    def _python(self, text: str) -> None:
        source = self.site.real(text)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        compiled = compile(source, self.document.name, "exec", flags)
        printed = io.StringIO()

        async def sample() -> None:
            outcome = eval(compiled, self.namespace)
            if iscoroutine(outcome):
                await outcome

        with contextlib.redirect_stdout(printed):
            self.site.loop.run(sample())
        expected = [match["text"] for match in _PRINTED.finditer(text)]
        assert self.site.written(printed.getvalue()).splitlines() == expected


def same(shown: Any, real: Any, runner: Runner, name: str = "") -> None:
    """The same members everywhere, and the same values where they do not differ by nature."""
    if isinstance(shown, dict):
        assert isinstance(real, dict), name
        assert set(shown) == set(real), f"{name}: {sorted(set(shown) ^ set(real))}"
        for key, value in shown.items():
            same(value, real[key], runner, key)
    elif isinstance(shown, list):
        assert isinstance(real, list), name
        assert len(shown) == len(real), name
        for left, right in zip(shown, real, strict=True):
            same(left, right, runner, name)
    elif isinstance(shown, str):
        assert isinstance(real, str), name
        variable = _NAME.fullmatch(shown)
        if variable is not None and variable[1] not in runner.makers:
            runner.known[variable[1]] = real
        elif variable is not None:
            assert real == runner.known.get(variable[1], real), name
        elif name in _VARYING:
            assert _form(shown) == _form(real), f"{name}: {real}"
        else:
            written = runner.site.written(real)
            assert _wildcards(shown).fullmatch(written), f"{name}: {written}"
    elif name in _VARYING:
        assert type(shown) is type(real), name
    else:
        assert shown == real, f"{name}: {real}"


def _form(value: str) -> str:
    """Dates by their digits, random values by their length."""
    if re.fullmatch(r"[\dT:Z.-]{10,24}", value):
        return _DIGITS.sub("0", value)
    return str(len(value))


def _wildcards(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("…")))


def _query(url: str) -> Iterator[tuple[str, str]]:
    from urllib.parse import unquote_plus

    place, _, query = url.partition("?")
    yield "to", place
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        yield name, value if value.startswith("$") else unquote_plus(value)


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Commands with the lines shown below them; a backslash goes on in the next line."""
    joined = text.replace("\\\n", " ")
    command, shown = "", list[str]()
    for line in joined.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line.removeprefix("$ "), []
        elif line.strip():
            assert command, f"{line}: output before any command"
            shown.append(line)
    if command:
        yield command, shown
