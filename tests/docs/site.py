"""A temporary service for the documents: the address that they write stands for its own."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2

from examples.demo.browser import Browser, one_time_code
from tests.support.cli import Cli
from tests.support.fapi_client_http import Http
from tests.support.service_process import Service, Site, free_port, new_site
from tests.support.wallet import Wallet, credential_of

WRITTEN = "https://id.example"
"""The issuer as the documents write it."""


class DocumentSite:
    """One issuer in a folder of its own; ``start`` runs the real service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = asyncio.Runner()
        self.site: Site = self.loop.run(
            new_site("sqlite", folder, initialised=False, argon2_memory_kib=64)
        )
        (folder / "master.key").unlink()  # `corpid init` makes its own
        self.cli = Cli(folder, {**self.site.environment(), "CORPID_ARGON2_MEMORY_KIB": "64"})
        self.operations_port = free_port()
        self._service: Service | None = None
        self.people: dict[str, dict[str, Any]] = {}

    @property
    def issuer(self) -> str:
        return self.site.issuer

    def real(self, text: str) -> str:
        """A text of a document, as it is for this service."""
        return text.replace(WRITTEN, self.issuer)

    def written(self, text: str) -> str:
        """An answer of this service, as a document writes it."""
        return text.replace(self.issuer, WRITTEN)

    def start(self) -> None:
        """Run the service, unless it runs."""
        if self._service is None:
            service = self.site.start(
                argon2_memory_kib="64", operations_port=str(self.operations_port)
            )
            self.loop.run(service.ready())
            self._service = service

    def get(self, url: str) -> httpx2.Response:
        """GET an address of the service, with no redirect followed."""
        self.start()
        return httpx2.get(self.real(url), follow_redirects=False, timeout=10)

    def sign_in(self, url: str, username: str) -> str:
        """A browser from the authorization endpoint to the relying party; its last address."""
        self.start()
        person = self.people[username]
        with Browser(self.issuer) as browser:
            end = browser.open(self.real(url))
            while end.startswith(self.issuer):
                form = browser.form
                assert form is not None, browser.title
                if "password" in form.fields:
                    end = browser.submit(username=username, password=person["password"])
                elif "otp" in form.fields:
                    end = browser.submit(otp=one_time_code(person["totp_secret"]))
                else:
                    end = browser.submit(action="approve")
        return end

    def credential(self, offer: dict[str, Any], kind: str) -> tuple[str, Wallet]:
        """A wallet that took one credential of an offer, and the credential."""
        self.start()
        wallet = Wallet(self.issuer)

        async def take() -> str:
            http = Http(self.site.port)
            (grant,) = offer["offer"]["grants"].values()
            answer = await wallet.credential(
                http, grant["pre-authorized_code"], offer["transaction_code"], kind
            )
            await http.close()
            return credential_of(answer)

        return self.loop.run(take()), wallet

    def close(self) -> None:
        """Stop everything."""
        self.loop.run(self.site.close())
        self.loop.close()
