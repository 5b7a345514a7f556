"""Client authentication by TLS certificate (RFC 8705 2), handed over by a proxy (RFC 9440)."""

import ipaddress

import orjson
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from keys.jwk import public_members
from oidc.client_certificate import UnusableCertificate, expected, read_certificate
from oidc.mutual_tls import CertificateRefused
from oidc.provider.client_keys import REFETCH
from oidc.provider.metadata import provider_metadata
from oidc.records import EXPECTATIONS
from tests.support.asgi import Answer, post_form
from tests.support.certificates import (
    SERVER,
    Authority,
    der,
    ec_key,
    escaped,
    name,
    pem,
    rfc9440,
    rsa_key,
    self_signed,
    x5c,
)
from tests.support.mtls_world import (
    AUTHORITY,
    HEADER,
    MACHINE,
    ORIGIN,
    OUTSIDER,
    PROXY,
    MtlsWorld,
    mutual_tls,
)
from tests.support.provider_world import ISSUER, NOW, World, client

BANK_DN = "CN=bank client,O=Sample Bank,C=HK"


def refused(answer: Answer) -> None:
    assert (answer.status, answer.error) == (401, "invalid_client")


# RFC 8705 2.1: a certificate that an authority issued.


async def test_rfc8705_2_1_the_certificate_authenticates_the_client() -> None:
    world = MtlsWorld()
    assert (await world.machine("tls-bank", world.issued)).status == 200


@pytest.mark.parametrize(
    ("member", "registered", "names"),
    [
        ("tls_client_auth_subject_dn", BANK_DN, []),
        ("tls_client_auth_san_dns", "TLS.bank.example", [x509.DNSName("tls.Bank.example")]),
        (
            "tls_client_auth_san_uri",
            "https://bank.example/client#1",
            [x509.UniformResourceIdentifier("https://bank.example/client#1")],
        ),
        (
            "tls_client_auth_san_ip",
            "2001:DB8:0:0::1",
            [x509.IPAddress(ipaddress.ip_address("2001:db8::1"))],
        ),
        ("tls_client_auth_san_email", "Ops@Bank.example", [x509.RFC822Name("Ops@bank.example")]),
    ],
)
async def test_rfc8705_2_1_2_by_each_of_the_five_members(
    member: str, registered: str, names: list[x509.GeneralName]
) -> None:
    world = MtlsWorld()
    world.expecting(member, registered)
    other = x509.DNSName("other.example")
    right = AUTHORITY.issue(other, *names) if names else AUTHORITY.issue()
    assert (await world.machine("tls-bank", right)).status == 200
    wrong = AUTHORITY.issue(other, subject=name((NameOID.COMMON_NAME, "somebody else")))
    refused(await world.machine("tls-bank", wrong))


@pytest.mark.parametrize(
    ("member", "registered"),
    [
        ("tls_client_auth_san_dns", "bank.example"),
        ("tls_client_auth_san_dns", "*.bank.example"),
        ("tls_client_auth_san_uri", "https://tls.bank.example"),
        ("tls_client_auth_san_email", "tls@bank.example"),
        ("tls_client_auth_subject_dn", "CN=tls.bank.example"),
    ],
)
async def test_rfc8705_2_1_2_one_kind_of_name_does_not_pass_for_another(
    member: str, registered: str
) -> None:
    world = MtlsWorld()
    world.expecting(member, registered)
    refused(await world.machine("tls-bank", world.issued))


async def test_a_certificate_of_another_authority_is_refused() -> None:
    world = MtlsWorld()
    stranger = Authority(NOW, "Sample Authority")  # the same name, another key
    refused(await world.machine("tls-bank", stranger.issue(x509.DNSName("tls.bank.example"))))


async def test_a_self_signed_certificate_with_the_right_name_is_refused() -> None:
    world = MtlsWorld()
    world.expecting("tls_client_auth_subject_dn", BANK_DN)
    assert (await world.machine("tls-bank", AUTHORITY.issue())).status == 200
    refused(await world.machine("tls-bank", self_signed(NOW)))


async def test_rfc5280_4_2_1_12_a_servers_certificate_is_no_clients() -> None:
    world = MtlsWorld()
    refused(
        await world.machine(
            "tls-bank", AUTHORITY.issue(x509.DNSName("tls.bank.example"), usage=SERVER)
        )
    )


@pytest.mark.parametrize("days", [11, -11])
async def test_a_certificate_is_refused_before_and_after_its_time(days: int) -> None:
    world = MtlsWorld()
    assert (await world.machine("tls-bank", world.issued)).status == 200
    world.now += days * 86_400
    refused(await world.machine("tls-bank", world.issued))
    assert not world.provider.mutual_tls.is_vouched_for(  # type: ignore[union-attr]
        read_certificate(der(world.issued)), world.now
    )


async def test_an_authority_that_expires_takes_its_certificates_with_it() -> None:
    world = MtlsWorld()
    long = AUTHORITY.issue(x509.DNSName("tls.bank.example"), days=3000)
    assert (await world.machine("tls-bank", long)).status == 200
    world.now += 1001 * 86_400
    refused(await world.machine("tls-bank", long))


async def test_without_authorities_the_method_does_not_exist() -> None:
    world = MtlsWorld(mutual_tls(authorities=()))
    refused(await world.machine("tls-bank", world.issued))
    assert (await world.machine("own-bank", world.own)).status == 200
    methods = provider_metadata(world.provider.config)["token_endpoint_auth_methods_supported"]
    assert "self_signed_tls_client_auth" in methods
    assert "tls_client_auth" not in methods


# RFC 8705 2.2: a certificate that the client registered itself.


async def test_rfc8705_2_2_a_registered_certificate_authenticates() -> None:
    world = MtlsWorld()
    assert (await world.machine("own-bank", world.own)).status == 200


async def test_rfc8705_2_2_another_certificate_of_the_same_name_is_refused() -> None:
    world = MtlsWorld()
    refused(await world.machine("own-bank", self_signed(NOW)))
    refused(await world.machine("own-bank", world.issued))


async def test_a_registered_certificate_ends_at_its_time() -> None:
    world = MtlsWorld()
    world.now += 11 * 86_400
    refused(await world.machine("own-bank", world.own))


# What all have in common.


async def test_rfc8705_2_the_client_names_itself() -> None:
    world = MtlsWorld()
    refused(await world.post(world.token_endpoint, MACHINE, world.issued))


@pytest.mark.parametrize("client_id", ["tls-bank", "own-bank"])
async def test_without_a_certificate_the_name_is_worth_nothing(client_id: str) -> None:
    refused(await MtlsWorld().machine(client_id, None))


@pytest.mark.parametrize(
    "endpoint", ["token_endpoint", "par_endpoint", "introspection_endpoint", "revocation_endpoint"]
)
async def test_rfc8705_2_the_same_at_every_endpoint(endpoint: str) -> None:
    world = MtlsWorld()
    at = getattr(world, endpoint)
    for client_id, certificate in (("tls-bank", world.issued), ("own-bank", world.own)):
        form = {"client_id": client_id, "token": "x"}
        answer = await world.post(at, form, certificate)
        assert answer.status == 200 or answer.error != "invalid_client", answer.body
        refused(await world.post(at, form, None))
        refused(await world.post(at, form, certificate, peer=OUTSIDER))
        refused(await world.post(at, form, self_signed(NOW)))


async def test_unknown_client_and_wrong_certificate_are_told_apart_by_nothing() -> None:
    world = MtlsWorld()
    unknown = await world.machine("nobody", world.own)
    assert unknown == await world.machine("tls-bank", world.own)
    assert unknown == await world.machine("own-bank", world.issued)
    assert unknown == await world.machine("bank", world.own)  # registered for another method
    assert unknown == await world.machine("legacy", world.own)
    refused(unknown)


async def test_a_client_with_keys_is_not_entered_by_certificate_nor_the_other_way() -> None:
    world = MtlsWorld()
    proving = await world.proving("own-bank", await world.assertion("own-bank"))
    refused(await world.post(world.token_endpoint, {**MACHINE, **proving}, world.own))


async def test_a_certificate_beside_another_method_is_no_second_method() -> None:
    world = MtlsWorld()
    form = {**MACHINE, **await world.proving("service")}
    assert (await world.post(world.token_endpoint, form, world.own)).status == 200


async def test_a_profile_without_the_method_is_refused() -> None:
    world = MtlsWorld()
    world.add(client("odd", token_endpoint_auth_method="certificate", jwks=None))
    refused(await world.machine("odd", world.own))


async def test_where_mutual_tls_is_not_set_up_the_header_means_nothing() -> None:
    with_tls = MtlsWorld()
    world = World()
    world.tables.clients.update(with_tls.tables.clients)
    headers = [(HEADER, rfc9440(with_tls.own))]
    form = {**MACHINE, "client_id": "own-bank"}
    refused(await post_form(world.token_endpoint, form, headers=headers, peer=PROXY))


# The header: from the proxy, once, and readable.


@pytest.mark.parametrize(
    "peer", [OUTSIDER, "10.0.0.8", "10.0.1.5", "fd01::1", "localhost", "", "::ffff:198.51.100.7"]
)
async def test_rfc9440_4_from_anybody_but_the_proxy_it_does_not_count(peer: str) -> None:
    world = MtlsWorld()
    answer = await world.machine("tls-bank", world.issued, peer=peer)
    refused(answer)
    assert "proxy" in answer.json["error_description"]


@pytest.mark.parametrize("peer", ["10.0.0.5", "10.0.0.1", "fd00::9", "::ffff:10.0.0.5"])
async def test_every_proxy_of_the_settings_counts(peer: str) -> None:
    world = MtlsWorld()
    assert (await world.machine("tls-bank", world.issued, peer=peer)).status == 200


def test_a_peer_without_an_address_is_not_the_proxy() -> None:
    scope = {"headers": [(HEADER, rfc9440(AUTHORITY.issue()))]}
    for peer in (None, ("", 0)):
        with pytest.raises(CertificateRefused):
            mutual_tls().read({**scope, "client": peer})


async def test_rfc9440_2_4_a_repeated_header_is_refused() -> None:
    world = MtlsWorld()
    for second in (world.issued, self_signed(NOW)):
        answer = await world.machine("tls-bank", world.issued, (HEADER, rfc9440(second)))
        refused(answer)
        assert "repeated" in answer.json["error_description"]


async def test_an_empty_header_is_no_certificate() -> None:
    world = MtlsWorld()
    refused(await world.machine("tls-bank", None, (HEADER, b"")))
    assert mutual_tls().read({"headers": [(HEADER, b" ")], "client": (PROXY, 1)}) is None


GOOD = AUTHORITY.issue(x509.DNSName("tls.bank.example"))


@pytest.mark.parametrize(
    "value",
    [
        rfc9440(GOOD)[1:],
        rfc9440(GOOD)[:-1],
        rfc9440(GOOD) + b";a=1",
        rfc9440(GOOD) + b", " + rfc9440(GOOD),
        b":" + rfc9440(GOOD)[1:-1].replace(b"A", b"*", 1) + b":",
        b"::",
        b":AAAA:",
        rfc9440(GOOD)[:200] + b":",
        b":" + b"A" * 20_000 + b":",
        escaped(GOOD),
        pem(GOOD).replace("\n", " ").encode(),
        b"\xff\xfe",
    ],
)
async def test_rfc9440_2_2_what_is_no_byte_sequence_of_a_certificate_is_refused(
    value: bytes,
) -> None:
    world = MtlsWorld()
    refused(await world.machine("tls-bank", None, (HEADER, value)))


async def test_nginx_writes_pem_percent_encoded() -> None:
    world = MtlsWorld(mutual_tls("urlencoded-pem"))
    assert (await world.machine("tls-bank", None, (HEADER, escaped(GOOD)))).status == 200


@pytest.mark.parametrize(
    "value",
    [
        rfc9440(GOOD),
        escaped(GOOD) + escaped(GOOD),
        escaped(GOOD)[:300],
        escaped(GOOD).replace(b"CERTIFICATE", b"PRIVATE%20KEY"),
        b"x" + escaped(GOOD),
        b"%ff%00",
        b"%",
        b"A" * 20_000,
    ],
)
async def test_what_is_no_pem_of_one_certificate_is_refused(value: bytes) -> None:
    world = MtlsWorld(mutual_tls("urlencoded-pem"))
    refused(await world.machine("tls-bank", None, (HEADER, value)))


@pytest.mark.parametrize("bits", [1024, 2047])
def test_fapi2_5_4_1_weak_keys_are_refused(bits: int) -> None:
    with pytest.raises(UnusableCertificate, match="weak"):
        read_certificate(der(AUTHORITY.issue(key=rsa_key(bits))))
    assert read_certificate(der(AUTHORITY.issue(key=rsa_key(2048)))).thumbprint
    assert read_certificate(der(AUTHORITY.issue(key=ec_key()))).thumbprint


def test_bytes_after_the_certificate_are_refused() -> None:
    with pytest.raises(UnusableCertificate):
        read_certificate(der(GOOD) + b"\0")


@pytest.mark.parametrize("member", EXPECTATIONS)
@pytest.mark.parametrize("value", ["", "x y", "x" * 3000])
def test_what_can_be_in_no_certificate_is_not_registered(member: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        expected(member, value)


def test_discovery_lists_methods_binding_and_aliases() -> None:
    document = provider_metadata(MtlsWorld().provider.config)
    for methods in ("token", "introspection", "revocation"):
        listed = document[f"{methods}_endpoint_auth_methods_supported"]
        assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(listed)
    assert document["tls_client_certificate_bound_access_tokens"] is True
    aliases = document["mtls_endpoint_aliases"]
    assert set(aliases) >= {
        "token_endpoint",
        "pushed_authorization_request_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
    }
    for endpoint, url in aliases.items():
        assert url == document[endpoint].replace(ISSUER, ORIGIN)


def test_without_a_proxy_nothing_of_it_is_listed() -> None:
    document = provider_metadata(World().provider.config)
    assert document["tls_client_certificate_bound_access_tokens"] is False
    assert "mtls_endpoint_aliases" not in document
    for endpoint, listed in document.items():
        if endpoint.endswith("_auth_methods_supported"):
            assert not [method for method in listed if "tls" in method]


async def test_rfc8705_2_2_2_certificates_at_a_jwks_uri_are_found_anew() -> None:
    world = MtlsWorld()
    uri = "https://rp.sample-bank.example/jwks"

    def publish(certificate: x509.Certificate) -> None:
        members = public_members(certificate.public_key())  # type: ignore[arg-type]
        world.outbound.says(uri, orjson.dumps({"keys": [x5c(certificate, members)]}))

    publish(world.own)
    world.change_client("own-bank", jwks=None, jwks_uri=uri)
    assert (await world.machine("own-bank", world.own)).status == 200
    renewed = self_signed(NOW)
    refused(await world.machine("own-bank", renewed))
    publish(renewed)
    world.now += REFETCH
    assert (await world.machine("own-bank", renewed)).status == 200
    refused(await world.machine("own-bank", world.own))
    assert len(world.outbound.asked) == 2
