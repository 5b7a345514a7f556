"""`corpid pki`: a development authority, requests, and chains of a real one."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from keys.certificates import to_x5c
from keys.clock import system_clock
from keys.jwk import public_members
from tests.support.chains import certify, for_issuer
from tests.support.cli import ISSUER, Cli


def _rings(listed: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["purpose"]: one for one in listed}


def test_init_certifies_every_ring_and_says_who_renews(any_cli: Cli) -> None:
    before = _rings(any_cli.json("pki", "list"))
    assert {one["subject"] for one in before.values()} == {None}
    made = _rings(any_cli.json("pki", "init", "--country", "HK", "--name", "Sample Issuer"))
    assert set(made) == {"credentials", "status", "metadata", "mdoc"}
    assert {one["renewed_by"] for one in made.values()} == {"the service"}
    assert "Development Root" in made["credentials"]["issuer"]
    assert "Development IACA" in made["mdoc"]["issuer"]
    assert any_cli.json("pki", "list") == list(made.values())
    assert any_cli.refused("pki", "init")[:2] == (1, "already_exists")


def test_show_prints_chains_and_roots(cli: Cli) -> None:
    assert cli.refused("pki", "show", "root")[:2] == (4, "not_found")
    cli.json("pki", "init")
    shown = cli.json("pki", "show", "credentials")
    (leaf,) = x509.load_pem_x509_certificates(shown["pem"].encode())
    (root,) = x509.load_pem_x509_certificates(cli.json("pki", "show", "root")["pem"].encode())
    leaf.verify_directly_issued_by(root)
    assert shown["certificates"][0]["serial"] == f"{leaf.serial_number:x}"
    assert cli.refused("pki", "show", "tokens")[:2] == (4, "not_found")


def test_renew_gives_the_same_key_a_new_certificate(cli: Cli) -> None:
    assert cli.refused("pki", "renew", "status")[:2] == (4, "not_found")
    cli.json("pki", "init")
    before = cli.json("pki", "show", "status")
    (renewed,) = cli.json("pki", "renew", "status")
    after = cli.json("pki", "show", "status")
    assert renewed["kid"] == before["kid"] == after["kid"]
    assert before["certificates"][0]["serial"] != after["certificates"][0]["serial"]


def test_a_request_goes_out_and_a_chain_comes_in(cli: Cli, tmp_path: Path) -> None:
    asked = cli.json("pki", "csr", "credentials", "--name", "Sample Issuer")
    wanted = x509.load_pem_x509_csr(asked["csr"].encode())
    now = system_clock()
    root = certify(now, "Sample Public Root", authority=True)
    leaf = certify(
        now,
        "Sample Issuer",
        root,
        public_jwk=public_members(wanted.public_key()),  # type: ignore[arg-type]
        names=for_issuer(ISSUER),
    )
    chain, anchor = tmp_path / "chain.pem", tmp_path / "root.pem"
    chain.write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
    anchor.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    assert cli.refused("pki", "import", "credentials", str(chain))[:2] == (1, "invalid_value")
    done = cli.json("pki", "import", "credentials", str(chain), "--anchor", str(anchor))
    assert done[0]["kid"] == asked["kid"]
    assert done[0]["renewed_by"] == "its authority"
    shown = cli.json("pki", "show", "credentials")["pem"]
    assert to_x5c(x509.load_pem_x509_certificates(shown.encode())) == to_x5c([leaf.certificate])
    # What comes after it must be certified by the same authority: nobody is left unaware.
    rotated = cli.run("key", "rotate", "credentials")
    assert "pki csr" in rotated.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("csr", "tokens"), (1, "invalid_value")),
        (("csr", "credentials", "--kid", "unknown"), (4, "not_found")),
        (("csr", "credentials", "--country", "Hongkong"), (1, "invalid_value")),
        (("import", "credentials", "/nowhere/chain.pem"), (1, "unreadable_file")),
        (("renew", "tokens"), (1, "invalid_value")),
    ],
)
def test_refusals(cli: Cli, words: tuple[str, ...], code: tuple[int, str]) -> None:
    assert cli.refused("pki", *words)[:2] == code


def test_a_file_without_certificates_is_refused(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "no.pem"
    file.write_text("nothing")
    assert cli.refused("pki", "import", "status", str(file))[:2] == (1, "unreadable_file")
