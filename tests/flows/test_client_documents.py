"""A client whose id is the address of its metadata, end to end: the service fetches the document.

Over TLS from a server on loopback, which the settings for operators allow: the network that may be
reached, the authority that is believed, and the hosts whose clients are taken.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Answer, Http
from tests.support.https_server import HttpsServer, https_server
from tests.support.live_cast import CALLBACK, Cast, new_cast
from tests.support.live_service import Live, serving
from tests.support.live_sign_in import sign_in
from tests.support.live_visitor import Visitor
from tests.support.service_process import new_site
from tests.support.wallet import unverified_payload

NETWORK = "127.0.0.0/8"


@dataclass
class Place:
    """The running service, and the server where clients publish."""

    live: Live
    http: Http
    cast: Cast
    publisher: HttpsServer

    def client(self, path: str = "/client.json", host: str = "localhost") -> FapiClient:
        """A client that has published nothing yet."""
        return FapiClient(
            self.live.issuer,
            self.publisher.url(path, host),
            redirect_uri=CALLBACK,
            scope="openid entity.identity",
        )

    def publish(self, client: FapiClient, **changes: Any) -> None:
        """What the publisher answers from now on, whatever it is asked for."""
        document = {
            "client_id": client.client_id,
            "client_name": "Sample Kite Shop",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": client.key.jwks,
            **changes,
        }
        self.publisher.says(json.dumps(document).encode())

    async def push(self, client: FapiClient) -> Answer:
        """A pushed request, as the client sends it."""
        form = {
            **client.authentication(),
            "response_type": "code",
            "redirect_uri": client.redirect_uri,
            "scope": client.scope,
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
        return await self.http.form("/par", form)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with https_server(tmp_path) as publisher:
        site = await new_site(
            "sqlite",
            tmp_path,
            argon2_memory_kib=64,
            outbound_networks=(NETWORK,),
            outbound_authorities=publisher.authorities,
            client_document_hosts=(f"localhost:{publisher.port}",),
        )
        async with serving(site) as live, site.foundation() as base:
            http, cast = Http(live.port), new_cast(base)
            yield Place(live, http, cast, publisher)
            await http.close()
            cast.close()


async def test_a_published_client_signs_somebody_in(place: Place) -> None:
    organisation, human = await place.cast.acting()
    client = place.client()
    place.publish(client)
    (await place.push(client)).expect(201)
    assert len(place.publisher.heads) == 1
    assert place.publisher.heads[0].startswith(b"GET /client.json HTTP/1.1\r\n")

    def browse() -> Any:
        # In a thread of its own: the publisher answers in this one.
        with Visitor(place.live.issuer) as visitor, asyncio.Runner() as runner:
            http = Http(place.live.port)
            done = runner.run(sign_in(http, client, visitor, human))
            told = runner.run(client.userinfo(http, done.access_token)).expect(200).json
            runner.run(http.close())
            return done, told

    done, told = await asyncio.to_thread(browse)
    claims = unverified_payload(done.tokens["id_token"])
    assert claims["aud"] == client.client_id
    assert told["sub_attributes"]["entity_reg_number"] == organisation.number
    assert (await client.introspect(place.http, done.access_token))["active"] is True
    assert len(place.publisher.heads) == 1, "a document is kept for a while"


async def test_what_is_published_otherwise_is_no_client(place: Place) -> None:
    client = place.client()
    place.publish(client, client_id=client.client_id + "/")
    refused = (await place.push(client)).expect(401)
    assert refused.error == "invalid_client"
    redirecting, missing = place.client("/elsewhere.json"), place.client("/missing.json")
    place.publish(redirecting)
    place.publisher.answer = place.publisher.answer.replace(
        b"HTTP/1.1 200 OK", b"HTTP/1.1 302 Found\r\nLocation: /client.json"
    )
    assert (await place.push(redirecting)).expect(401).error == "invalid_client"
    place.publisher.says(b"{}", status="404 Not Found")
    assert (await place.push(missing)).expect(401).error == "invalid_client"
    asked = len(place.publisher.heads)
    stranger = place.client(host="127.0.0.1")  # not one of the hosts that the operator named
    place.publish(stranger)
    assert (await place.push(stranger)).expect(401).error == "invalid_client"
    assert len(place.publisher.heads) == asked, "not even asked"
