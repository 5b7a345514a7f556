"""docs/cli.md is what the commands say, and every example in it works."""

import json
import re
import shlex
import time
from string import Template

import pytest

from corpid.cli.context import EXAMPLES
from keys.signer import generate
from tests.support.certificates import Authority
from tests.support.cli import Cli
from tools import cli_docs

STORY = (
    "init", "db migrate", "config show", "config check", "config haip", "register import",
    "register show",
    "organisation add", "organisation show", "organisation list", "person add", "person show",
    "person unblock",
    "representation add", "representation list", "mandate grant", "mandate accept",
    "mandate show", "mandate list", "mandate decline", "offer create",
    "offer list", "offer withdraw", "client add",
    "client show", "client list",
    "credential nonce", "credential issue", "credential list", "credential show",
    "credential suspend", "credential resume", "credential revoke",
    "issuance list", "issuance approve", "issuance deny",
    "pki init", "pki list", "pki show", "pki csr", "pki renew",
    "key list", "key rotate", "mandate suspend", "mandate resume", "mandate end",
    "organisation suspend", "organisation resume", "client token create", "client token list",
    "client token revoke", "client update", "client rotate-secret", "client check",
    "client disable", "client enable", "representation end",
    "wallet-provider add", "wallet-provider list", "wallet-provider show",
    "wallet-provider remove",
    "session list", "session end", "person close", "db purge", "db backup", "status list",
    "status reopen", "verify",
)  # fmt: skip
UNKNOWN = dict.fromkeys(
    (
        "credential show", "credential suspend", "credential resume", "credential revoke",
        "issuance approve", "issuance deny",
    ),
    4,
)  # fmt: skip
# test_config_and_usage and the tests of the running service; test_pki
ELSEWHERE = {"serve", "pki import"}


def test_the_page_is_made_from_the_commands() -> None:
    assert cli_docs.PAGE.read_text("utf-8") == cli_docs.page(), "run: python -m tools.cli_docs"


def test_the_story_tells_every_command() -> None:
    assert set(STORY) | ELSEWHERE == set(EXAMPLES)


def test_every_example_works_in_the_order_of_the_story(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cli.folder)
    (cli.folder / "companies.json").write_text(
        json.dumps([{"Brn": "99555555", "English_Company_Name": "SAMPLE PAGE LIMITED"}])
    )
    keys = {"keys": [dict(generate("ES256").public_jwk)]}
    (cli.folder / "bank.jwks.json").write_text(json.dumps(keys))
    (cli.folder / "wallet-anchors.pem").write_text(Authority(time.time()).pem)
    (cli.folder / "wallet.jwk.json").write_text(json.dumps(keys["keys"][0]))
    (cli.folder / "credential.txt").write_text("this is no credential")
    ids: dict[str, str] = {"CREDENTIAL": "unknown", "ISSUANCE": "unknown"}
    for words in STORY:
        line = Template(EXAMPLES[words]).substitute(ids)
        assert re.match(rf"corpid {words}\b", line)
        outcome = cli.run(*shlex.split(line)[1:], "--json")
        # Nothing is issued in this story, and the text to verify is none.
        expected = UNKNOWN | {"verify": 1, "config haip": 1}
        assert outcome.exit_code == expected.get(words, 0), (line, outcome)
        document = outcome.document
        if words == "representation add":
            ids["REPRESENTATION"] = document["representation_id"]
        elif words == "offer create":
            ids["OFFER"] = document["offer_id"]
        elif words == "client add":
            ids["CLIENT"] = document["client_id"]
            shop = ("--name-en", "Sample Shop", "--redirect-uri", "https://shop.example/cb")
            added = cli.json("client", "add", "--profile", "oidc", *shop)
            ids["SHOP"] = added["client_id"]
        elif words == "client token create":
            ids["TOKEN"] = document["token_id"]
        elif words == "mandate grant":
            ids["MANDATE"] = document["mandate_id"]
            again = cli.json(*shlex.split(line)[1:])
            ids["PROPOSED"] = again["mandate_id"]
