"""Certificates of the signing keys in the service: made, renewed, imported, withdrawn."""

import secrets
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from corpid.domain.errors import AlreadyExists, InvalidValue, NotFound
from corpid.services.certificates import Certificates
from corpid.services.key_rotation import KeyRotation
from keys import base64url
from keys.certificates import (
    DOCUMENT_SIGNER,
    STATUS_SIGNING,
    certified_key,
    is_named,
    read_chain,
    verify_chain,
)
from keys.jwk import thumbprint
from oidc.issuer.certificates_endpoint import CertificatesEndpoint
from tests.support.asgi import call
from tests.support.chains import Certified, certify, for_issuer
from tests.support.issuer_world import ISSUER, World

DAY = 86_400
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
WHO = "operator:test"


def certificates(world: World) -> Certificates:
    return Certificates(world.store, world.master, ISSUER, world.clock, secrets.token_bytes)


def rotation(world: World) -> KeyRotation:
    return KeyRotation(world.store, world.master, world.clock, certificates(world))


def header(compact: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(base64url.decode(compact.split(".", maxsplit=1)[0]))
    return found


async def made(world: World) -> Certificates:
    found = certificates(world)
    await found.initialise("HK", "Sample Issuer", WHO)
    await world.keys.reload()
    return found


async def kid(world: World, purpose: str) -> str:
    await world.keys.reload()
    return world.keys.signer(purpose, "ES256").kid


async def test_x5c_is_in_credentials_and_status_lists(world: World) -> None:
    roots = await (await made(world)).roots()
    answer = await world.wallet().ask(await world.grant())
    issued = answer.json["credentials"][0]["credential"]
    chain = read_chain(header(issued.split("~")[0])["x5c"])
    assert verify_chain(chain, [roots["root"]], world.now) == roots["root"]
    assert is_named(chain[0], ISSUER)
    assert certified_key(chain[0]).thumbprint == await kid(world, "credentials")

    await world.publisher.refresh()
    (row, *_) = await world.store.read.status_lists.all()
    served = world.publisher.current(row.list_id)
    assert served is not None
    chain = read_chain(header(served.body.decode())["x5c"])
    verify_chain(chain, [roots["root"]], world.now, usage=STATUS_SIGNING)
    assert certified_key(chain[0]).thumbprint == await kid(world, "status")


async def test_each_purpose_has_a_certificate_of_its_own(world: World) -> None:
    found = await made(world)
    roots = await found.roots()
    keys = await found.all()
    assert {one.record.purpose for one in keys} == {"credentials", "status", "metadata", "mdoc"}
    assert len({one.chain[0].serial_number for one in keys}) == 4
    (signer,) = (one for one in keys if one.record.purpose == "mdoc")
    verify_chain(signer.chain, [roots["iaca"]], world.now, usage=DOCUMENT_SIGNER)
    for one in keys:
        # Nothing self-signed, and no root, goes out.
        assert all(each.subject != each.issuer for each in one.chain)


async def test_keys_for_tokens_are_not_certified(world: World) -> None:
    await made(world)
    assert world.keys.signer("tokens", "ES256").x5c == ()
    with pytest.raises(InvalidValue):
        await certificates(world).renew("tokens", WHO)


async def test_there_is_one_development_authority(world: World) -> None:
    await made(world)
    with pytest.raises(AlreadyExists):
        await certificates(world).initialise("HK", "Another", WHO)


@pytest.mark.parametrize(
    ("country", "name"), [("hk", "A"), ("HKG", "A"), ("HK", " "), ("香港", "A")]
)
async def test_a_subject_needs_country_and_name(world: World, country: str, name: str) -> None:
    with pytest.raises(InvalidValue):
        await certificates(world).initialise(country, name, WHO)


async def test_the_roots_keys_are_sealed(world: World) -> None:
    await made(world)
    for name, row in (await world.store.read.operations.authorities()).items():
        assert b'"d"' not in row.sealed_private
        assert b'"d"' in world.master.open(row.sealed_private, f"certificate-authority/{name}")


async def test_a_certificate_is_renewed_when_its_last_third_begins(world: World) -> None:
    found = await made(world)
    before = {one.record.kid: one.chain[0] for one in await found.all()}
    world.now += 59 * DAY
    assert await found.renew_due(WHO) == []
    world.now += 2 * DAY
    renewed = await found.renew_due(WHO)
    assert {one.record.kid for one in renewed} == set(before)  # the same keys
    for one in renewed:
        assert one.chain[0].serial_number != before[one.record.kid].serial_number
        assert one.expires_at is not None
        assert one.expires_at > world.now + 80 * DAY
    assert await found.renew_due(WHO) == []


async def test_a_rotated_key_comes_with_its_certificate(world: World) -> None:
    found = await made(world)
    roots = await found.roots()
    done = await rotation(world).rotate("credentials", "ES256", WHO)
    (waiting,) = (one for one in await found.all() if one.record.kid == done.new_kid)
    assert waiting.state == "pending"
    verify_chain(waiting.chain, [roots["root"]], world.now)


async def test_a_withdrawn_key_is_on_the_revocation_list(world: World) -> None:
    found = await made(world)
    (before,) = (one for one in await found.all() if one.record.purpose == "mdoc")
    endpoint = CertificatesEndpoint(world.keys)

    async def listed() -> set[int]:
        await world.keys.reload()
        answer = await call(endpoint, path="/pki/iaca.crl")
        assert answer.header("content-type") == "application/pkix-crl"
        made = x509.load_der_x509_crl(answer.body)
        root = (await found.roots())["iaca"]
        assert made.is_signature_valid(root.public_key())  # type: ignore[arg-type]
        return {one.serial_number for one in made}

    assert await listed() == set()
    await rotation(world).rotate("mdoc", "ES256", WHO, at_once=True)
    await found.renew_due(WHO)
    assert await listed() == set()  # replaced, but what it signed still counts
    (now,) = (
        one for one in await found.all() if one.state == "active" and one.record.purpose == "mdoc"
    )
    await rotation(world).rotate("mdoc", "ES256", WHO, at_once=True, withdrawn=True)
    await found.renew_due(WHO)
    # The one before had stopped already; withdrawing ends its publication, too.
    assert now.chain[0].serial_number in await listed()
    assert before.record.kid != now.record.kid


async def test_revocation_lists_are_signed_anew_before_they_end(world: World) -> None:
    found = await made(world)
    first = (await world.store.read.operations.authorities())["iaca"].revocation_list
    world.now += 19 * DAY
    await found.renew_due(WHO)
    assert (await world.store.read.operations.authorities())["iaca"].revocation_list == first
    world.now += 2 * DAY
    await found.renew_due(WHO)
    fresh = (await world.store.read.operations.authorities())["iaca"].revocation_list
    ends = x509.load_der_x509_crl(fresh).next_update_utc
    assert ends is not None
    assert ends.timestamp() > world.now + 29 * DAY


async def test_roots_are_published(world: World) -> None:
    found = await made(world)
    for name, root in (await found.roots()).items():
        answer = await call(CertificatesEndpoint(world.keys), path=f"/pki/{name}.cer")
        assert answer.body == root.public_bytes(Encoding.DER)
        assert answer.header("content-type") == "application/pkix-cert"
    for name in ("root.pem", "root", "", "other.cer"):
        assert (await call(CertificatesEndpoint(world.keys), path=f"/pki/{name}")).status == 404


# A real authority's chain


class Real:
    """An authority with an issuing intermediate, under the service's clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        long = 3 * 365 * DAY
        self.root = certify(world.now, "Sample Public Root", authority=True, ends=long)
        self.middle = certify(
            world.now, "Sample Public Issuing", self.root, authority=True, path_length=0, ends=long
        )

    async def leaf(self, purpose: str = "credentials", **changes: Any) -> Certified:
        await self.world.keys.reload()
        arguments = {
            "public_jwk": self.world.keys.signer(purpose, "ES256").public_jwk,
            "names": for_issuer(ISSUER),
            "usage": {"status": STATUS_SIGNING, "mdoc": DOCUMENT_SIGNER}.get(purpose),
            "ends": 90 * DAY,
            **changes,
        }
        return certify(self.world.now, "Sample Issuer", self.middle, **arguments)

    async def take(self, leaf: Certified, purpose: str = "credentials", **changes: Any) -> None:
        chain = changes.get("chain", [leaf, self.middle, self.root])
        anchors = changes.get("anchors", [])
        await certificates(self.world).import_chain(
            purpose,
            [one.certificate for one in chain],
            [one.certificate for one in anchors],
            WHO,
        )
        await self.world.keys.reload()


async def test_an_imported_chain_goes_out_without_its_root(world: World) -> None:
    real = Real(world)
    leaf = await real.leaf()
    await real.take(leaf)
    chain = read_chain(world.keys.signer("credentials", "ES256").x5c)
    assert list(chain) == [leaf.certificate, real.middle.certificate]
    rows = await world.store.read.operations.audit_rows(1, "certificate.imported")
    assert orjson.loads(rows[0])["facts"]["purpose"] == "credentials"


async def test_the_root_may_be_given_apart(world: World) -> None:
    real = Real(world)
    leaf = await real.leaf("status")
    await real.take(leaf, "status", chain=[leaf, real.middle], anchors=[real.root])
    assert len(world.keys.signer("status", "ES256").x5c) == 2


async def refused(real: Real, leaf: Certified, purpose: str = "credentials", **more: Any) -> str:
    before = world_x5c(real.world, purpose)
    with pytest.raises(InvalidValue) as error:
        await real.take(leaf, purpose, **more)
    await real.world.keys.reload()
    assert world_x5c(real.world, purpose) == before
    return str(error.value)


def world_x5c(world: World, purpose: str) -> tuple[str, ...]:
    return world.keys.signer(purpose, "ES256").x5c


async def test_what_is_imported_must_verify(world: World) -> None:
    real = Real(world)
    good = await real.leaf()
    assert "root" in await refused(real, good, chain=[good, real.middle])
    assert "root" in await refused(real, good, chain=[real.root])
    assert "wrong_order" in await refused(
        real, good, chain=[good, certify(world.now, "Other", real.root, authority=True), real.root]
    )
    other = certify(world.now, "Sample Public Root", authority=True)
    assert "untrusted" in await refused(real, good, chain=[good, real.middle], anchors=[other])
    assert "not_in_force" in await refused(real, await real.leaf(ends=-1))
    assert "key_usage" in await refused(real, await real.leaf(key_usage=False))
    assert "extended_key_usage" in await refused(
        real, await real.leaf("status", usage=None), "status"
    )


async def test_what_is_imported_must_be_for_our_key_and_issuer(world: World) -> None:
    real = Real(world)
    assert "certifies no key" in await refused(real, await real.leaf(public_jwk=None))
    status = await real.leaf("status")
    assert "certifies no key" in await refused(real, status)
    other = await real.leaf(names=for_issuer("https://other.example"))
    assert "not for" in await refused(real, other)
    assert "not for" in await refused(real, await real.leaf(names=()))


async def test_an_imported_document_signer_keeps_the_profile(world: World) -> None:
    real = Real(world)
    assert "lifetime" in await refused(real, await real.leaf("mdoc", ends=500 * DAY), "mdoc")
    assert "names" in await refused(real, await real.leaf("mdoc"), "mdoc")


async def test_what_others_issued_is_not_renewed_but_warned_of(world: World) -> None:
    found = await made(world)
    real = Real(world)
    await real.take(await real.leaf())
    assert await found.expiring() == []
    world.now += 61 * DAY
    renewed = await found.renew_due(WHO)
    assert {one.record.purpose for one in renewed} == {"status", "metadata", "mdoc"}
    assert [one.record.purpose for one in await found.expiring()] == ["credentials"]
    ends = {purpose: at for purpose, _, at in world.keys.certificate_ends()}
    assert ends["credentials"] < world.now + 30 * DAY


async def test_where_others_issue_no_new_key_gets_a_certificate_of_ours(world: World) -> None:
    found = await made(world)
    real = Real(world)
    await real.take(await real.leaf())
    done = await rotation(world).rotate("credentials", "ES256", WHO)
    await found.renew_due(WHO)
    (fresh,) = (one for one in await found.all() if one.record.kid == done.new_kid)
    assert fresh.chain == ()
    assert await found.lacks(done.new_kid)


async def test_a_request_is_for_the_newest_key(world: World) -> None:
    found = certificates(world)
    done = await rotation(world).rotate("credentials", "ES256", WHO)
    which, pem = await found.request("credentials", None, "HK", "Sample Issuer")
    assert which == done.new_kid
    key = x509.load_pem_x509_csr(pem)
    assert key.is_signature_valid
    active, _ = await found.request("credentials", await kid(world, "credentials"), "HK", "A")
    assert active != which
    with pytest.raises(NotFound):
        await found.request("credentials", "unknown", "HK", "A")
    with pytest.raises(InvalidValue):
        await found.request("tokens", None, "HK", "A")


async def test_without_an_authority_nothing_is_renewed(world: World) -> None:
    assert await certificates(world).renew_due(WHO) == []
    with pytest.raises(NotFound):
        await certificates(world).renew("credentials", WHO)
    assert world.keys.signer("credentials", "ES256").x5c == ()
    assert thumbprint(world.keys.signer("mdoc", "ES256").public_jwk)
