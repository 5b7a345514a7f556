"""`corpid config haip`, `corpid client check --level haip`, and the settings that require it."""

from typing import Any

import pytest

from tests.support.attesting import WalletProvider
from tests.support.cli import Cli

NOW = 1_800_000_000.0
REQUIRED = {"HAIP": "required", "WALLET_ATTESTATION": "challenge"}


def failures(document: Any) -> list[str]:
    return [line["rule"] for line in document["lines"] if line["severity"] == "failure"]


def trusting(cli: Cli) -> None:
    anchors = cli.folder / "anchors.pem"
    anchors.write_text(WalletProvider(NOW).anchors_pem)
    cli.json("wallet-provider", "add", "sample-wallet", "--anchors", str(anchors))


@pytest.fixture
def wallet(cli: Cli) -> str:
    added = cli.json(
        "client", "add", "--name-en", "Sample Wallet", "--profile", "haip",
        "--redirect-uri", "https://wallet.example/callback", "--scope", "openid",
        "--scope", "credential.representative", "--auth-method", "attest_jwt_client_auth",
        "--wallet-provider", "sample-wallet",
    )  # fmt: skip
    return str(added["client_id"])


def test_the_issuer_is_told_rule_by_rule_what_is_missing(cli: Cli) -> None:
    outcome = cli.run("config", "haip", "--json")
    assert outcome.exit_code == 1
    assert failures(outcome.document) == [
        "client-authentication",
        "wallets-of-the-profile",
        "credential-x5c",
        "status-x5c",
    ]
    trusting(cli)
    cli.json("pki", "init")
    done = cli.run("config", "haip", "--json", **REQUIRED)
    assert (done.exit_code, failures(done.document)) == (0, [])
    assert done.document["counts"]["warning"] == 0


def test_what_is_required_and_not_met_is_refused_by_name(cli: Cli) -> None:
    code, error, message = cli.refused("config", "check", HAIP="required")
    assert (code, error) == (1, "configuration_error")
    for rule in ("HAIP 4.4.1 client-authentication", "HAIP 6.1 credential-x5c", "status-x5c"):
        assert rule in message
    cli.json("pki", "init")
    assert cli.json("config", "check", **REQUIRED)["ok"] is True


def test_a_wallet_is_told_rule_by_rule_what_is_missing(cli: Cli, wallet: str) -> None:
    untrusted = cli.run("client", "check", wallet, "--level", "haip", "--json")
    assert (untrusted.exit_code, failures(untrusted.document)) == (1, ["attestation-x5c"])
    trusting(cli)
    trusted = cli.run("client", "check", wallet, "--level", "haip", "--json")
    assert (trusted.exit_code, failures(trusted.document)) == (0, [])
    assert "HAIP 4.3" in cli.run("client", "check", wallet, "--level", "haip").stdout


def test_what_keeps_a_new_wallet_from_authenticating_is_said(cli: Cli) -> None:
    words = (
        "client", "add", "--name-en", "Sample Wallet", "--profile", "haip",
        "--redirect-uri", "https://wallet.example/callback",
        "--auth-method", "attest_jwt_client_auth", "--wallet-provider", "sample-wallet",
    )  # fmt: skip
    said = cli.run(*words)
    assert "sample-wallet is not trusted" in said.stdout + said.stderr
    assert "CORPID_WALLET_ATTESTATION is off" in said.stdout + said.stderr
    trusting(cli)
    said = cli.run(*words, **REQUIRED)
    assert "is not trusted" not in said.stdout + said.stderr
    assert "is off" not in said.stdout + said.stderr


def test_a_wallet_changes_its_method_and_loses_its_provider(cli: Cli, wallet: str) -> None:
    update = ("client", "update", wallet, "--profile", "oidc")
    changed = cli.json(*update, "--auth-method", "client_secret_basic")
    assert changed["token_endpoint_auth_method"] == "client_secret_basic"
    assert "wallet_provider" not in changed
    back = ("--auth-method", "attest_jwt_client_auth_dpop", "--wallet-provider", "other-wallet")
    assert cli.json("client", "update", wallet, *back)["wallet_provider"] == "other-wallet"
