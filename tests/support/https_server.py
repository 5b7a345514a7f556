"""An https server on loopback that answers as a test says, and a way out that leads only there."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from corpid.outbound.addresses import networks
from corpid.outbound.https import OutboundHttps
from examples.development_ca import make

LOOPBACK = networks(("127.0.0.0/8",))


@dataclass
class HttpsServer:
    """``answer`` is sent as it is to every request; ``heads`` and ``bodies`` are what came."""

    port: int = 0
    answer: bytes = b""
    slow: float = 0.0
    open_ended: bool = False
    present: int = 0
    most_present: int = 0
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    authorities: Path = Path()

    def says(
        self, body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json"
    ) -> None:
        lines = [
            f"HTTP/1.1 {status}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
            *headers,
        ]
        self.answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def url(self, path: str = "/", host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            size = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            self.bodies.append(await reader.readexactly(size))
            self.present += 1
            self.most_present = max(self.most_present, self.present)
            for _ in range(20):
                await asyncio.sleep(0)  # others may come meanwhile
            self.present -= 1
            if self.slow:
                for byte in self.answer:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(self.slow)
            else:
                writer.write(self.answer)
                await writer.drain()
            if self.open_ended:
                await reader.read()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass  # the client has gone, as it may
        finally:
            writer.close()


@asynccontextmanager
async def https_server(folder: Path) -> AsyncIterator[HttpsServer]:
    authorities, certificate, key = make(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    made = HttpsServer(authorities=authorities)
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


class Names:
    """A name server of the test's own; ``asked`` is what was looked up."""

    def __init__(self, **known: Sequence[str]) -> None:
        self.known: dict[str, Sequence[str]] = {"localhost": ["127.0.0.1"], **known}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.known:
            raise OSError("not known")
        return self.known[host]


def outbound_to(server: HttpsServer, **changes: object) -> OutboundHttps:
    given: dict[str, object] = {
        "networks": LOOPBACK,
        "authorities": server.authorities,
        "resolve": Names(),
        **changes,
    }
    return OutboundHttps(**given)  # type: ignore[arg-type]
