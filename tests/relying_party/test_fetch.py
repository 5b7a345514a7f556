"""The standard fetcher, against a server on the loopback interface."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from corpid.relying_party.fetch import FetchRefused, StandardFetch, is_allowed

RELEASE, CUT = threading.Event(), threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/small?q=1")
            self.end_headers()
            return
        if self.path == "/stalled":
            RELEASE.wait(30)
        if self.path == "/dripping":
            self._drip()
            return
        if self.path == "/accept":
            self.path = self.headers["Accept"]
        body = b"x" * 5000 if self.path == "/large" else self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=5")
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        # Every byte comes within the timeout, and the header never ends.
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not RELEASE.wait(0.05):
                self.wfile.write(b"x")
        except OSError:
            CUT.set()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    RELEASE.set()
    server.shutdown()
    thread.join()
    server.server_close()


async def test_fetches_with_query_and_lower_case_headers(base: str) -> None:
    found = await StandardFetch()(f"{base}/small?q=1")
    assert (found.status, found.body) == (200, b"/small?q=1")
    assert found.headers["cache-control"] == "max-age=5"


async def test_asks_for_what_it_is_told(base: str) -> None:
    assert (await StandardFetch()(f"{base}/accept")).body == b"*/*"
    asked = await StandardFetch()(f"{base}/accept", accept="application/statuslist+cwt")
    assert asked.body == b"application/statuslist+cwt"


async def test_follows_no_redirect(base: str) -> None:
    assert (await StandardFetch()(f"{base}/moved")).status == 302


async def test_refuses_a_body_beyond_the_bound(base: str) -> None:
    assert await StandardFetch(max_bytes=5000)(f"{base}/large")
    with pytest.raises(FetchRefused):
        await StandardFetch(max_bytes=4999)(f"{base}/large")


async def test_gives_up_after_the_timeout(base: str) -> None:
    with pytest.raises(TimeoutError):
        await StandardFetch(timeout=0.05)(f"{base}/stalled")


async def test_a_closed_port_is_an_os_error(base: str) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(OSError, match=r"refused|Connect"):
        await StandardFetch()(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://id.example/x", True),
        ("http://127.0.0.1:8000/x", True),
        ("http://localhost/x", True),
        ("http://[::1]/x", True),
        ("http://id.example/x", False),
        ("http://127.0.0.1.example/x", False),
        ("http://localhost@id.example/", False),
        ("https://user:secret@id.example/", False),
        ("file:///etc/hostname", False),
        ("ftp://localhost/", False),
        ("https://", False),
        ("https://id.example:99999/", False),
        ("https://id.example/a b", False),
        ("https://id.example/\r\nX: y", False),
        ("https://風箏.example/", False),
        ("", False),
    ],
)
async def test_only_https_or_loopback_may_be_fetched(url: str, allowed: bool) -> None:
    assert is_allowed(url) is allowed
    if not allowed:
        with pytest.raises(FetchRefused):
            await StandardFetch()(url)


async def test_gives_up_on_a_server_that_sends_a_byte_now_and_then(base: str) -> None:
    with pytest.raises(TimeoutError):
        await StandardFetch(timeout=0.3)(f"{base}/dripping")
    assert CUT.wait(10), "the line is cut, so that no thread waits for the rest"
