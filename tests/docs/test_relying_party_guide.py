"""docs/guide-relying-party.md: its commands, requests, answers and samples, run as they stand."""

import hashlib
import json
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from corpid.relying_party import RelyingParty
from keys import base64url
from keys.signer import LocalSigner
from oidc.formats.sd_jwt import key_binding, present
from tests.docs.reading import Document
from tests.docs.runner import Runner
from tests.docs.site import WRITTEN, DocumentSite
from tests.support.fapi_client import FapiClient, b64, new_verifier, unique
from tests.support.fapi_client_http import Http
from tests.support.mdoc_world import shown, transcript
from tests.support.wallet import Wallet, unverified_payload

PERSON = "sample.clerk"
AUDIENCE = "https://bank.example"
API = "https://api.partner.example/orders"
WAIT_SECONDS = 5


class Guide:
    """What the relying party of the guide has of its own, and what happens between the blocks."""

    def __init__(self, site: DocumentSite) -> None:
        self.site = site
        self.client = FapiClient(site.issuer, "sample-bank")
        self.machine = FapiClient(site.issuer, "sample-orders", key=self.client.key)
        self.credential, self.wallet = "", Wallet(site.issuer)
        self.list_before = ""
        (site.folder / "bank.jwks.json").write_text(json.dumps(self.client.key.jwks))
        self.runner = Runner(site, Document("docs/guide-relying-party.md"))

    def run(self) -> None:
        self._prepare()
        verifier = new_verifier()
        challenge = b64(hashlib.sha256(verifier.encode()).digest())
        self.runner.known |= {"STATE": unique(), "NONCE": unique()}
        self.runner.known |= {"VERIFIER": verifier, "CHALLENGE": challenge}
        self.runner.makers = {
            "ASSERTION": lambda *_: self.client.assertion(),
            "MACHINE_ASSERTION": lambda *_: self.machine.assertion(),
            "PROOF": self._proof,
            "INITIAL_ACCESS_TOKEN": lambda *_: self._initial_access_token(),
        }
        steps = (
            self.assertion,
            self.proof,
            self.id_token,
            self.verify,
            self.answers,
            self.presentation,
            self.representative,
            self.mdoc,
            self.api,
            self.revoked,
        )
        self.runner.run({step.__name__: step for step in steps})

    def _prepare(self) -> None:
        cli, runner = self.site.cli, self.runner
        cli.json("init")
        cli.json("pki", "init", "--country", "HK", "--name", "Sample Issuer")
        cli.json("register", "import", "--sample")
        self.site.people[PERSON] = cli.json(
            "person", "add", "--name-en", "Sample Clerk", "--name-zh-hant", "樣本文員",
            "--username", PERSON, "--generate-password", "--totp",
        )  # fmt: skip
        mandate = cli.json(
            "mandate", "grant", "--organisation", "99000001", "--person", PERSON,
            "--power", "open_account", "--limit", "50000.00:HKD", "--valid-until", "2099-12-31",
        )  # fmt: skip
        cli.json("mandate", "accept", mandate["mandate_id"])
        runner.known["MANDATE"] = mandate["mandate_id"]
        runner.sign_in_as = PERSON

    def _proof(self, runner: Runner, about: Mapping[str, str]) -> str:
        token = runner.known["ACCESS_TOKEN"] if about["url"].endswith("/userinfo") else None
        return self.client.dpop_key.dpop(about["method"], about["url"], token=token)

    def _initial_access_token(self) -> str:
        return str(self.site.cli.json("client", "token", "create")["token"])

    def assertion(self, runner: Runner) -> None:
        runner.documents["assertion"] = unverified_payload(self.client.assertion())

    def proof(self, runner: Runner) -> None:
        runner.documents["proof"] = unverified_payload(self.client.proof("POST", "/par"))

    def id_token(self, runner: Runner) -> None:
        runner.documents["id_token"] = unverified_payload(runner.known["ID_TOKEN"])

    def verify(self, runner: Runner) -> None:
        names = {"id_token": "ID_TOKEN", "nonce": "NONCE", "access_token": "ACCESS_TOKEN"}
        runner.namespace |= {name: runner.known[known] for name, known in names.items()}

    def answers(self, runner: Runner) -> None:
        """A silent request of a browser that nobody signed in with, and our own access token."""
        client, state = self.client, unique()
        client.redirect_uri, client.scope = "https://bank.example/callback", "openid"
        token = runner.known["ACCESS_TOKEN"]

        async def ask() -> tuple[str, str]:
            http = Http(self.site.site.port)
            wanted = {"response_mode": "jwt", "prompt": "none", "state": state}
            pushed = await client.push(http, new_verifier(), **wanted)
            query = urlencode({"client_id": client.client_id, "request_uri": pushed})
            redirect = (await http.get(f"/authorize?{query}")).expect(303).headers["location"]
            accept = {"Accept": "application/token-introspection+jwt"}
            fields = {"token": token, **client.authentication()}
            told = (await http.form("/introspect", fields, accept)).expect(200)
            await http.close()
            return redirect.partition("?response=")[2], told.body.decode()

        response, introspection = self.site.loop.run(ask())
        proof = client.proof("GET", "/userinfo", token=token)
        runner.namespace |= {"response": response, "sent_state": state, "shown_token": token}
        runner.namespace |= {"introspection": introspection, "shown_proof": proof}

    def presentation(self, runner: Runner) -> None:
        offer = self.site.cli.json(
            "offer", "create", "--organisation", "99000001", "--person", PERSON,
            "--type", "representative",
        )  # fmt: skip
        self.credential, self.wallet = self.site.credential(offer, "representative")
        chosen = present(
            self.credential, [("legal_person_id",), ("scope_of_representation_powers", 0)]
        )
        nonce = unique()
        key = LocalSigner(self.wallet.holder._private, self.wallet.holder.thumbprint, "ES256")
        runner.namespace["wallet_nonce"] = nonce
        runner.namespace["presentation"] = self.site.loop.run(
            key_binding(key, chosen, audience=AUDIENCE, nonce=nonce, now=time.time())
        )

    def mdoc(self, runner: Runner) -> None:
        """The same authority as an mdoc, shown by the wallet, and the root to verify it under."""
        offer = self.site.cli.json(
            "offer", "create", "--organisation", "99000001", "--person", PERSON,
            "--type", "representative-mdoc",
        )  # fmt: skip
        handed_out, wallet = self.site.credential(offer, "representative-mdoc")
        data = base64url.decode(handed_out)
        metadata = self.site.get(f"{WRITTEN}/.well-known/openid-credential-issuer").json()
        configurations = metadata["credential_configurations_supported"]
        doc_type = configurations["representative-mdoc"]["doctype"]
        key = LocalSigner(wallet.holder._private, wallet.holder.thumbprint, "ES256")
        session = transcript(runner.namespace["wallet_nonce"])
        response = self.site.loop.run(shown(data, key, session, doc_type=doc_type))
        for name, root in (("iaca_root", "iaca"), ("root", "root")):
            runner.namespace[name] = self.site.cli.json("pki", "show", root)["pem"]
        runner.namespace["device_response"] = b64(response)
        runner.namespace["doc_type"] = doc_type

    def representative(self, runner: Runner) -> None:
        party = RelyingParty(self.site.issuer)
        whole = self.site.loop.run(
            party.verify_credential(self.credential, audience=None, nonce=None)
        )
        runner.documents["representative"] = dict(whole.claims)
        self.list_before = self.site.get(runner.namespace["mandate"].status.uri).text

    def api(self, runner: Runner) -> None:
        token = runner.known["API_TOKEN"]
        runner.namespace["api_token"] = token
        runner.namespace["api_proof"] = self.client.dpop_key.dpop("GET", API, token=token)

    def revoked(self, runner: Runner) -> None:
        """The service looks for changes twenty times a second: the list is there soon."""
        uri = runner.namespace["mandate"].status.uri
        deadline = time.monotonic() + WAIT_SECONDS
        while self.site.get(uri).text == self.list_before:
            assert time.monotonic() < deadline, "the status list was not renewed"


def test_the_guide_is_true_from_beginning_to_end(site: DocumentSite) -> None:
    Guide(site).run()
