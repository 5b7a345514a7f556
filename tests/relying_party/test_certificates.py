"""Credentials and status lists that come with certificates: up to the anchors, for this issuer."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from corpid.relying_party import FetchResult, Policy, RelyingParty, errors
from keys.certificates import STATUS_SIGNING, to_x5c
from keys.signer import LocalSigner, generate
from oidc.formats import sd_jwt
from oidc.formats.status_token import sign_token, token_claims
from tests.support.chains import Certified, certify, for_issuer
from tests.support.relying_world import ISSUER, NOW, STATUS_URI, VC_ISSUER, VCT, World
from tests.support.sd_jwt_forge import public

ROOT = certify(NOW, "Sample Root", authority=True, ends=400 * 86_400)
MIDDLE = certify(NOW, "Sample Issuing", ROOT, authority=True, path_length=0, ends=400 * 86_400)


class Certifying:
    """The world, with certificates for its two keys."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.credential = self.leaf(world.credential_key)
        self.status = self.leaf(world.status_key, usage=STATUS_SIGNING)

    def leaf(self, key: LocalSigner, **changes: Any) -> Certified:
        arguments = {"names": for_issuer(ISSUER), "public_jwk": key.public_jwk, **changes}
        return certify(self.world.now, "Sample Issuer", MIDDLE, **arguments)

    async def issued(self, *chain: Certified, iss: object = ISSUER, **header: Any) -> str:
        used = chain or (self.credential, MIDDLE)
        claims = {
            "vct": VCT,
            "iat": int(self.world.now),
            "exp": int(self.world.now) + 40 * 86_400,
            "status": {"status_list": {"idx": 5, "uri": STATUS_URI}},
        }
        if iss is not None:
            claims["iss"] = iss
        return await sd_jwt.issue(
            self.world.credential_key,
            claims,
            [],
            holder_jwk=public(self.world.holder),
            header={"x5c": list(to_x5c(one.certificate for one in used)), **header},
        )

    async def publish(self, *chain: Certified, signer: LocalSigner | None = None) -> None:
        """The status list, with a chain."""
        used = chain or (self.status, MIDDLE)
        claims = token_claims(
            STATUS_URI,
            self.world.statuses,
            issued_at=int(self.world.now),
            expires_at=int(self.world.now) + 3600,
            ttl=300,
        )
        x5c = list(to_x5c(one.certificate for one in used))
        text = await sign_token(signer or self.world.status_key, claims, header={"x5c": x5c})
        self.world.documents[STATUS_URI] = FetchResult(200, {}, text.encode())

    def party(self, *anchors: Any, **changes: Any) -> RelyingParty:
        return self.world.party(trust_anchors=anchors or (ROOT.certificate,), **changes)


@pytest.fixture
async def certified(world: World) -> Certifying:
    made = Certifying(world)
    await made.publish()
    return made


async def verify(party: RelyingParty, text: str) -> Any:
    return await party.verify_credential(text, audience=None, nonce=None)


async def refused(party: RelyingParty, text: str) -> tuple[str, str | None]:
    with pytest.raises(errors.RelyingPartyError) as caught:
        await verify(party, text)
    return caught.value.code, caught.value.detail


def chain_is(rule: str) -> tuple[str, str]:
    return "certificate_chain_invalid", rule


async def test_with_certificates_no_key_is_fetched(certified: Certifying) -> None:
    found = await verify(certified.party(), await certified.issued())
    assert (found.issuer, found.status) == (ISSUER, "valid")
    assert certified.world.requests == [STATUS_URI]


@pytest.mark.parametrize("form", ["pem", "der", "text"])
async def test_anchors_come_in_every_form(certified: Certifying, form: str) -> None:
    root = ROOT.certificate
    pem = root.public_bytes(Encoding.PEM)
    anchor = {"pem": pem, "der": root.public_bytes(Encoding.DER), "text": pem.decode()}[form]
    assert (await verify(certified.party(anchor), await certified.issued())).status == "valid"
    with pytest.raises(ValueError):
        certified.party("no certificate")


async def test_sd_jwt_vc_without_iss_the_certificate_names_the_issuer(
    certified: Certifying,
) -> None:
    found = await verify(certified.party(), await certified.issued(iss=None))
    assert found.issuer == ISSUER
    stranger = certified.leaf(
        certified.world.credential_key, names=for_issuer("https://other.example")
    )
    text = await certified.issued(stranger, MIDDLE, iss=None)
    assert (await refused(certified.party(), text))[0] == "issuer_unexpected"


async def test_the_leaf_names_the_issuer(certified: Certifying) -> None:
    for names in ((), for_issuer("https://other.example"), (x509.DNSName("*.example"),)):
        leaf = certified.leaf(certified.world.credential_key, names=names)
        text = await certified.issued(leaf, MIDDLE)
        assert await refused(certified.party(), text) == chain_is("name")


async def test_the_issuer_must_be_trusted_all_the_same(certified: Certifying) -> None:
    leaf = certified.leaf(certified.world.credential_key, names=for_issuer("https://other.example"))
    text = await certified.issued(leaf, MIDDLE, iss="https://other.example")
    assert (await refused(certified.party(), text))[0] == "issuer_unexpected"
    assert certified.world.requests == []


async def test_the_chain_leads_to_an_anchor(certified: Certifying) -> None:
    other = certify(NOW, "Sample Root", authority=True)
    text = await certified.issued()
    assert await refused(certified.party(other.certificate), text) == chain_is("untrusted")
    # A chain that does not hold is no reason to ask for the keys.
    assert certified.world.requests == []


async def test_each_rule_of_the_chain_counts(certified: Certifying) -> None:
    key = certified.world.credential_key
    leaf = certified.credential
    broken = {
        "self_signed": [(leaf, MIDDLE, ROOT), (certify(NOW, "Self", public_jwk=None),)],
        "wrong_order": [(leaf, certify(NOW, "Sample Issuing", ROOT, authority=True))],
        "untrusted": [(leaf,)],
        "not_in_force": [(certified.leaf(key, ends=-1), MIDDLE)],
        "key_usage": [(certified.leaf(key, key_usage=False), MIDDLE)],
        "leaf_is_authority": [(certified.leaf(key, authority=True), MIDDLE)],
    }
    for rule, chains in broken.items():
        for chain in chains:
            text = await certified.issued(*chain)
            assert await refused(certified.party(), text) == chain_is(rule)


@pytest.mark.parametrize("x5c", [[], "MIIB", [1], ["MIIB"], [["MIIB"]], {}])
async def test_an_odd_x5c_is_refused(certified: Certifying, x5c: object) -> None:
    code, _ = await refused(certified.party(), await certified.issued(x5c=x5c))
    assert code in ("certificate_chain_invalid", "token_malformed", "credential_malformed")


async def test_the_certified_key_must_have_signed(certified: Certifying) -> None:
    other = certified.leaf(generate("ES256"))
    text = await certified.issued(other, MIDDLE)
    assert (await refused(certified.party(), text))[0] == "signature_invalid"


async def test_a_chain_that_was_verified_before_ends_with_its_time(
    certified: Certifying,
) -> None:
    party, text = certified.party(), await certified.issued()
    assert (await verify(party, text)).status == "valid"
    certified.world.now += 31 * 86_400
    assert await refused(party, text) == chain_is("not_in_force")


async def test_without_anchors_published_keys_count(certified: Certifying) -> None:
    found = await verify(certified.world.party(), await certified.issued())
    assert found.status == "valid"
    assert VC_ISSUER in certified.world.requests


async def test_haip_certificates_may_be_demanded(certified: Certifying) -> None:
    demanding = certified.party(policy=Policy(require_certificates=True))
    assert (await verify(demanding, await certified.issued())).status == "valid"
    plain = await certified.world.issued()
    assert await refused(demanding, plain) == chain_is("missing")
    assert (await verify(certified.party(), plain)).issuer == ISSUER
    bare = certified.world.party(policy=Policy(require_certificates=True))
    assert await refused(bare, await certified.issued()) == chain_is("missing")


async def test_a_demanded_chain_of_a_status_list(certified: Certifying) -> None:
    del certified.world.documents[STATUS_URI]  # one without a chain
    demanding = certified.party(policy=Policy(require_certificates=True))
    code, detail = await refused(demanding, await certified.issued())
    assert (code, detail) == ("status_token_invalid", "certificate_chain_invalid: missing")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"usage": None}, "extended_key_usage"),
        ({"usage": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")}, "extended_key_usage"),
        ({"names": ()}, "name"),
        ({"ends": -1}, "not_in_force"),
    ],
)
async def test_tsl_10_only_a_certificate_for_it_signs_status_lists(
    certified: Certifying, changes: dict[str, Any], rule: str
) -> None:
    leaf = certified.leaf(certified.world.status_key, **{"usage": STATUS_SIGNING, **changes})
    await certified.publish(leaf, MIDDLE)
    code, detail = await refused(certified.party(), await certified.issued())
    assert (code, detail) == ("status_token_invalid", f"certificate_chain_invalid: {rule}")


async def test_the_credential_key_signs_no_status_list(certified: Certifying) -> None:
    await certified.publish(certified.credential, MIDDLE, signer=certified.world.credential_key)
    code, _ = await refused(certified.party(), await certified.issued())
    assert code == "status_token_invalid"


@pytest.mark.parametrize(("usage", "fits"), [(STATUS_SIGNING, True), (None, False)])
async def test_a_status_list_as_cwt_comes_with_certificates_too(
    certified: Certifying, usage: Any, fits: bool
) -> None:
    world = certified.world
    leaf = certified.leaf(world.status_key, usage=usage)
    x5c = list(to_x5c([leaf.certificate, MIDDLE.certificate]))
    signer = LocalSigner.from_jwk({**world.status_key.private_jwk(), "x5c": x5c})
    world.documents[STATUS_URI] = FetchResult(200, {}, await world.status_cwt(signer))
    if fits:
        assert (await verify(certified.party(), await certified.issued())).status == "valid"
        assert world.requests == [STATUS_URI]
    else:
        code, detail = await refused(certified.party(), await certified.issued())
        assert (code, detail) == (
            "status_token_invalid",
            "certificate_chain_invalid: extended_key_usage",
        )


async def test_certificates_are_judged_as_of_the_instant_that_is_asked_for(
    certified: Certifying,
) -> None:
    text = await certified.issued()
    with pytest.raises(errors.CertificateChainInvalid) as caught:
        await certified.party().verify_credential(
            text, audience=None, nonce=None, at=NOW - 2 * 86_400
        )
    assert caught.value.detail == "not_in_force"
    assert certified.world.requests == []
