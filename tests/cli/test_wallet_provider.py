"""`corpid wallet-provider`: whose attestations are believed."""

import json
from typing import Any

import pytest

from keys.signer import generate
from tests.support.attesting import WalletProvider
from tests.support.certificates import pem, self_signed
from tests.support.cli import Cli

NOW = 1_800_000_000.0
PROVIDER = WalletProvider(NOW)
ADD = ("wallet-provider", "add", "sample-wallet")


def file(cli: Cli, name: str, content: str) -> str:
    path = cli.folder / name
    path.write_text(content)
    return str(path)


def anchors(cli: Cli) -> str:
    return file(cli, "anchors.pem", PROVIDER.anchors_pem)


def test_a_provider_is_trusted_shown_and_trusted_no_longer(any_cli: Cli) -> None:
    added = any_cli.json(
        *ADD, "--anchors", anchors(any_cli), "--issuer", PROVIDER.issuer, "--title", "Sample"
    )
    assert added["attests"] == ["wallets", "keys"]
    assert added["anchors"][0]["subject"] == PROVIDER.root.certificate.subject.rfc4514_string()
    assert any_cli.json("wallet-provider", "list") == [added]
    assert any_cli.json("wallet-provider", "show", "sample-wallet") == added
    remove = ("wallet-provider", "remove", "sample-wallet")
    assert any_cli.json(*remove)["dry_run"] is True
    assert any_cli.json("wallet-provider", "list") == [added]
    assert any_cli.json(*remove, "--yes")["done"] is True
    assert any_cli.json("wallet-provider", "list") == []
    (past,) = any_cli.json("wallet-provider", "list", "--past")
    assert past["removed_at"] is not None
    assert any_cli.refused(*remove, "--yes")[:2] == (4, "not_found")
    assert any_cli.refused("wallet-provider", "show", "sample-wallet")[:2] == (4, "not_found")
    assert any_cli.json(*ADD, "--anchors", anchors(any_cli))["removed_at"] is None


def test_a_provider_may_be_known_by_its_keys_and_for_one_thing_alone(cli: Cli) -> None:
    keys = file(cli, "keys.json", json.dumps(PROVIDER.jwks))
    added = cli.json(*ADD, "--jwks", keys, "--attests", "keys")
    assert (added["attests"], added["anchors"], added["jwks"]) == (["keys"], [], PROVIDER.jwks)
    assert cli.refused(*ADD, "--jwks", keys)[:2] == (1, "already_exists")


def _jwks(**changes: Any) -> str:
    return json.dumps({"keys": [{**PROVIDER.signer.public_jwk, **changes}]})


@pytest.mark.parametrize(
    ("words", "content", "says"),
    [
        ((), None, "trust anchors"),
        (("--anchors",), "no certificate", "not certificates in PEM"),
        (("--anchors",), pem(self_signed(NOW)), "no certificate authority"),
        (("--anchors",), PROVIDER.anchors_pem * 11, "at most 10 trust anchors"),
        (("--jwks",), json.dumps({"keys": [generate("ES256").private_jwk()]}), "PRIVATE key"),
        (("--jwks",), json.dumps({"keys": []}), "no key of the JWK Set"),
        (("--jwks",), json.dumps({"keys": [dict(generate("ES384").public_jwk)]}), "ES256"),
        (("--jwks",), _jwks(kid=7), "not usable"),
        (("--attests", "everything", "--jwks"), _jwks(), "wallets or keys"),
        (("--issuer", "", "--jwks"), _jwks(), "iss of its attestations"),
        (("--title", "x" * 201, "--jwks"), _jwks(), "at most 200"),
    ],
)
def test_what_is_no_trust_is_refused(
    cli: Cli, words: tuple[str, ...], content: str | None, says: str
) -> None:
    given = () if content is None else (*words, file(cli, "given", content))
    code, error, message = cli.refused(*ADD, *given)
    assert (code, error) == (1, "invalid_value")
    assert says in message


def test_an_id_is_a_plain_word_and_a_key_set_is_json(cli: Cli) -> None:
    keys = file(cli, "keys.json", _jwks())
    assert cli.refused("wallet-provider", "add", "Sample Wallet", "--jwks", keys)[1] == (
        "invalid_value"
    )
    broken = file(cli, "broken.json", "[]")
    assert cli.refused(*ADD, "--jwks", broken)[1] == "unreadable_file"
