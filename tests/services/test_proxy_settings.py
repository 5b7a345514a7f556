"""The settings about proxies and client certificates, and what they become."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from corpid.errors import ConfigurationError
from corpid.settings import Settings
from corpid.wiring.mutual_tls import mutual_tls
from tests.support.certificates import Authority, der, rfc9440

AUTHORITY = Authority(1_800_000_000)
BEHIND = {"proxies": "10.0.0.1, 10.1.0.0/16", "client_certificate_header": "Client-Cert"}


def test_without_the_header_there_is_no_mutual_tls() -> None:
    assert mutual_tls(Settings(proxies=("10.0.0.1",))) is None


def test_the_settings_say_whom_to_believe(tmp_path: Path) -> None:
    file = tmp_path / "authorities.pem"
    file.write_text(AUTHORITY.pem + Authority(1_800_000_000, "Another Authority").pem)
    made = mutual_tls(
        Settings(**BEHIND, client_certificate_authorities=file, mtls_origin="https://m.example")  # type: ignore[arg-type]
    )
    assert made is not None
    assert made.methods == {"tls_client_auth", "self_signed_tls_client_auth"}
    assert made.alias("https://id.example/corp/token") == "https://m.example/corp/token"
    certificate = AUTHORITY.issue()
    scope = {"headers": [(b"client-cert", rfc9440(certificate))], "client": ("10.1.2.3", 1)}
    found = made.read(scope)
    assert found is not None
    assert made.is_vouched_for(found, 1_800_000_000)
    assert der(found.certificate) == der(certificate)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_certificate_header": "Client-Cert"},
        {**BEHIND, "proxies": "10.0.0.1/8"},
        {**BEHIND, "proxies": "proxy.example"},
        {**BEHIND, "client_certificate_header": "Client Cert"},
        {**BEHIND, "client_certificate_form": "pem"},
        {**BEHIND, "mtls_origin": "https://m.example/path"},
        {**BEHIND, "mtls_origin": "http://m.example"},
        {"proxies": "10.0.0.1", "mtls_origin": "https://m.example"},
        {"proxies": "10.0.0.1", "client_certificate_authorities": "ca.pem"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**changes)


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff"])
def test_authorities_that_cannot_be_read_stop_the_start(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="authorities"):
        mutual_tls(Settings(**BEHIND, client_certificate_authorities=file))  # type: ignore[arg-type]
