"""A relying party's back-channel logout endpoint on loopback, and its verification by PyJWT."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import jwt as pyjwt

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Receiver:
    """Answers every POST with ``status``; what came is in ``requests`` (head, body)."""

    port: int = 0
    status: int = 200
    headers: str = ""
    hold: float = 0
    body: bytes = b""
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}/backchannel-logout"

    @property
    def tokens(self) -> list[str]:
        """The logout tokens that came."""
        return [parse_qs(body.decode())["logout_token"][0] for _, body in self.requests]

    async def token(self, number: int = 1, within: float = 20.0) -> str:
        """Wait until that many came; the last one of these."""
        async with asyncio.timeout(within):
            while len(self.requests) < number:
                self.came.clear()
                await self.came.wait()
        return self.tokens[number - 1]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request; what is none gets no answer."""
        try:
            await self._answer(reader, writer)
        except asyncio.IncompleteReadError:
            writer.transport.abort()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.partition(":")[2])
            for line in head.split("\r\n")
            if line.lower().startswith("content-length:")
        )
        body = await reader.readexactly(length)
        self.requests.append((head, body))
        self.came.set()
        await asyncio.sleep(self.hold)
        answer = f"HTTP/1.1 {self.status} X\r\ncache-control: no-store\r\n{self.headers}\r\n"
        writer.write(answer.encode() + self.body)
        writer.close()


@asynccontextmanager
async def receiver(port: int = 0, **settings: Any) -> AsyncIterator[Receiver]:
    """A running receiver; ``port`` 0 takes a free one."""
    made = Receiver(**settings)
    server = await asyncio.start_server(made.answer, "127.0.0.1", port)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def verified(token: str, jwks: dict[str, Any], issuer: str, client_id: str) -> dict[str, Any]:
    """The claims of a logout token, checked as Back-Channel Logout 1.0, 2.6 has it."""
    header = pyjwt.get_unverified_header(token)
    assert header["typ"] == "logout+jwt"
    keys = pyjwt.PyJWKSet.from_dict(jwks)
    key = next(one for one in keys.keys if one.key_id == header["kid"])
    claims: dict[str, Any] = pyjwt.decode(
        token,
        key,
        algorithms=["ES256", "RS256"],
        audience=client_id,
        issuer=issuer,
        options={"require": ["iss", "aud", "iat", "exp", "jti", "events", "sid"]},
    )
    assert claims["events"] == {EVENT: {}}
    assert "nonce" not in claims
    assert claims["exp"] - claims["iat"] <= 120
    return claims
