"""How client certificates come to us, as the settings have it."""

from ipaddress import ip_network
from pathlib import Path

from cryptography import x509

from corpid.errors import ConfigurationError
from corpid.settings import Settings
from oidc.mutual_tls import MutualTls


def mutual_tls(settings: Settings) -> MutualTls | None:
    """The reader of client certificates; None where no proxy hands them over.

    Raises:
        ConfigurationError: the file of authorities cannot be read, or holds none.
    """
    if settings.client_certificate_header is None:
        return None
    file = settings.client_certificate_authorities
    return MutualTls(
        settings.client_certificate_header,
        settings.client_certificate_form,
        map(ip_network, settings.proxies),
        authorities=() if file is None else _authorities(file),
        origin=settings.mtls_origin,
    )


def _authorities(file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        raise ConfigurationError(
            f"the authorities of client certificates cannot be read from {file}: "
            "it must hold one or more certificates in PEM"
        ) from None
