"""The little HTTP that the example relying parties need: JSON in, JSON out, standard library."""

import json
import sys
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Answer = tuple[int, Mapping[str, Any]]
Handler = Callable[[Mapping[str, str], Mapping[str, Any]], Answer]


def serve(routes: Mapping[tuple[str, str], Handler], port: int = 0) -> None:
    """Serve on loopback until killed; the first line on standard output is the port."""

    class JsonHandler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            handler = routes.get((self.command, parts.path))
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            if handler is None:
                status, value = 404, {"error": "not_found"}
            else:
                status, value = handler(dict(parse_qsl(parts.query)), body)
            data = json.dumps(value, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            """Be quiet: the demo tells what happens."""

    server = ThreadingHTTPServer(("127.0.0.1", port), JsonHandler)
    print(server.server_address[1], flush=True)
    sys.stdout.close()
    server.serve_forever()


def request(
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    value: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, str], Any]:
    """One HTTP request: (status, headers with lower-case names, JSON body or None)."""
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=10)
    all_headers = dict(headers or {})
    body = None
    if form is not None:
        body = urlencode(form)
        all_headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif value is not None:
        body = json.dumps(value)
        all_headers["Content-Type"] = "application/json"
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body=body, headers=all_headers)
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    received = {name.lower(): text for name, text in response.getheaders()}
    is_json = "json" in received.get("content-type", "")
    return response.status, received, json.loads(data) if data and is_json else None
