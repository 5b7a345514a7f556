"""Key attestations (OpenID4VCI 1.0, Appendix D, F.1, F.3): each rule, and what breaks it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpid.storage.database import Database
from keys import jws
from keys.signer import LocalSigner, generate
from oidc.attesters import KEYS, WALLETS
from oidc.errors import InvalidNonce, InvalidProof
from oidc.issuer.configuration import KeyAttestationNeed
from oidc.issuer.credential import CredentialEndpoint
from oidc.issuer.key_attestation import KeyAttestation, check_key_attestation
from oidc.issuer.metadata import issuer_metadata
from oidc.secrets import Nonces
from tests.support.asgi import Answer
from tests.support.attesting import KEY_ATTESTATION, TableAttesters, WalletProvider, bare
from tests.support.issuer_world import World, credential_in, payload_of

NOW = 1_800_000_000.0
NONCES = Nonces(b"c" * 32, 300)
PROVIDER = WalletProvider(NOW)
OTHER = WalletProvider(NOW, "Other Wallet Provider")
TRUSTED = TableAttesters(PROVIDER.trusted())
HELD, BESIDE = generate("ES256"), generate("ES256")
HIGH = KeyAttestationNeed(("iso_18045_high",), ("iso_18045_high", "iso_18045_moderate"))


def nonce(now: float = NOW) -> str:
    return NONCES.issue(now, lambda count: b"r" * count)


async def attestation(*keys: LocalSigner, **changes: Any) -> str:
    return await PROVIDER.key_attestation(*(keys or (HELD,)), **{"nonce": nonce(), **changes})


async def check(compact: str, trusted: TableAttesters = TRUSTED, **how: Any) -> KeyAttestation:
    given: dict[str, Any] = {"nonces": NONCES, "now": NOW, "need": None, "expires": True, **how}
    return await check_key_attestation(compact, trusted, **given)


async def test_an_honest_attestation_names_its_keys_and_how_they_are_kept() -> None:
    found = await check(await attestation(HELD, BESIDE), need=HIGH)
    assert [key.thumbprint for key in found.keys] == [HELD.kid, BESIDE.kid]
    assert found.key_storage == {"iso_18045_high"}
    assert found.user_authentication == {"iso_18045_moderate"}


async def test_the_attester_may_be_known_by_its_key_set_instead_of_certificates() -> None:
    trusted = TableAttesters(PROVIDER.trusted(by="jwks"))
    assert (await check(await attestation(header={}), trusted)).keys
    with pytest.raises(InvalidProof, match="no trust anchor"):
        await check(await attestation(), trusted)


async def test_haip_4_5_1_the_certificate_must_be_in_x5c() -> None:
    trusted = TableAttesters(PROVIDER.trusted(by="jwks"))
    with pytest.raises(InvalidProof, match="must be in x5c"):
        await check(await attestation(header={}), trusted, x5c_only=True)
    assert (await check(await attestation(), x5c_only=True)).keys


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"typ": "JWT"}, "wrong_type"),
        ({"typ": None}, "wrong_type"),
        ({"typ": "oauth-client-attestation+jwt"}, "wrong_type"),
        ({"signer": generate("ES256")}, "invalid_signature"),
        ({"signer": generate("ES384")}, "unsupported_algorithm"),
        ({"header": {}}, "must be in x5c"),
        ({"header": OTHER.header}, "no trust anchor"),
        ({"iss": "https://other.example"}, "nobody is trusted"),
        ({"iss": ["https://other.example"]}, "nobody is trusted"),
        ({"without": ["iat"]}, "iat: is missing"),
        ({"iat": "now"}, "iat: is not a number"),
        ({"iat": int(NOW) + 31}, "iat: lies ahead"),
        ({"exp": int(NOW) - 31}, "exp: has passed"),
        ({"exp": True}, "exp: is not a number"),
        ({"nbf": int(NOW) + 31}, "nbf: lies ahead"),
        ({"without": ["nonce"]}, "no nonce"),
        ({"without": ["attested_keys"]}, "1 to 50 keys"),
        ({"attested_keys": []}, "1 to 50 keys"),
        ({"attested_keys": bare(HELD)}, "1 to 50 keys"),
        ({"attested_keys": [bare(HELD)] * 51}, "1 to 50 keys"),
        ({"attested_keys": [bare(HELD), bare(HELD)]}, "attested twice"),
        ({"attested_keys": ["text"]}, "malformed_key"),
        ({"attested_keys": [{"kty": "EC"}]}, "malformed_key"),
        ({"attested_keys": [HELD.private_jwk()]}, "malformed_key"),
        ({"attested_keys": [bare(generate("Ed25519"))]}, "of a kind"),
        ({"key_storage": []}, "key_storage is an array"),
        ({"key_storage": "iso_18045_high"}, "key_storage is an array"),
        ({"key_storage": [7]}, "key_storage is an array"),
        ({"user_authentication": ["x"] * 21}, "user_authentication is an array"),
    ],
)
async def test_d_1_refuses_with_invalid_proof(changes: dict[str, Any], words: str) -> None:
    compact = await attestation(**changes)
    with pytest.raises(InvalidProof, match=words):
        await check(compact)


@pytest.mark.parametrize("wrong", ["", "x", 7, nonce(NOW - 301)])
async def test_8_3_1_2_a_wrong_or_stale_nonce_is_invalid_nonce(wrong: object) -> None:
    with pytest.raises(InvalidNonce):
        await check(await attestation(nonce=wrong))


async def test_d_1_exp_is_mandatory_beside_a_jwt_proof_alone() -> None:
    compact = await attestation(without=["exp"])
    with pytest.raises(InvalidProof, match="exp: is missing"):
        await check(compact)
    assert (await check(compact, expires=False)).keys


@pytest.mark.parametrize("name", ["key_storage", "user_authentication"])
@pytest.mark.parametrize("stated", [["iso_18045_basic"], None])
async def test_12_2_4_a_level_that_is_not_accepted_is_refused(name: str, stated: Any) -> None:
    changes = {"without": [name]} if stated is None else {name: stated}
    with pytest.raises(InvalidProof, match=f"{name} must be one of iso_18045_high"):
        await check(await attestation(**changes), need=HIGH)
    assert (await check(await attestation(**changes), need=KeyAttestationNeed())).keys


async def test_one_accepted_level_among_others_is_enough() -> None:
    compact = await attestation(key_storage=["https://keys.example/best", "iso_18045_high"])
    assert (await check(compact, need=HIGH)).keys


async def test_an_attester_of_wallets_alone_attests_no_keys() -> None:
    with pytest.raises(InvalidProof, match="nobody is trusted"):
        await check(await attestation(), TableAttesters(PROVIDER.trusted(attests=[WALLETS])))
    assert (await check(await attestation(), TableAttesters(PROVIDER.trusted(attests=[KEYS])))).keys


@given(st.text(alphabet="abcAZ09-_.~ey=", max_size=200))
async def test_any_text_is_refused_by_the_one_error(text: str) -> None:
    with pytest.raises(InvalidProof):
        await check(text)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@settings(max_examples=50)
@given(st.sampled_from(["iss", "iat", "exp", "nonce", "attested_keys", "key_storage"]), _JSON)
async def test_any_value_of_a_claim_is_taken_or_refused(name: str, value: Any) -> None:
    try:
        await check(await attestation(**{name: value}))
    except (InvalidProof, InvalidNonce):
        return


# Through the endpoint.


@pytest.fixture
async def attested(database: Database) -> World:
    """An issuer that trusts the provider, and needs attested keys for one credential."""
    world = await World(database).prepare()
    configurations = dict(world.issuer.config.configurations)
    configurations["representative"] = replace(
        configurations["representative"], key_attestation=HIGH
    )
    config = replace(world.issuer.config, configurations=configurations)
    world.issuer = replace(world.issuer, config=config, attesters=TRUSTED)
    world.credential = CredentialEndpoint(world.issuer)
    return world


async def ask(world: World, proofs: dict[str, Any], of: str = "representative") -> Answer:
    body = {"credential_configuration_id": of, "proofs": proofs}
    return await world.wallet().ask(await world.grant(), body)


async def with_header(world: World, key_attestation: object, **proof: Any) -> str:
    holder = world.wallet().holder
    header = {"jwk": bare(holder), "key_attestation": key_attestation}
    return await world.wallet().proof(header=header, **proof)


def bound_to(answer: Answer) -> dict[str, str]:
    jwk: dict[str, str] = payload_of(credential_in(answer))["cnf"]["jwk"]
    return jwk


async def test_f_1_a_jwt_proof_with_its_attestation_gets_a_credential(attested: World) -> None:
    holder = attested.wallet().holder
    compact = await PROVIDER.key_attestation(holder, nonce=attested.wallet().nonce())
    answer = await ask(attested, {"jwt": [await with_header(attested, compact)]})
    assert bound_to(answer) == bare(holder)


async def test_f_3_an_attestation_alone_gets_a_credential_for_the_key_it_attests(
    attested: World,
) -> None:
    compact = await PROVIDER.key_attestation(
        BESIDE, nonce=attested.wallet().nonce(), without=["exp"]
    )
    answer = await ask(attested, {"attestation": [compact]})
    assert bound_to(answer) == bare(BESIDE)


async def test_12_2_4_without_the_attestation_that_it_needs_it_is_refused(attested: World) -> None:
    answer = await ask(attested, {"jwt": [await attested.wallet().proof()]})
    assert (answer.status, answer.error) == (400, "invalid_proof")
    other = await ask(attested, {"jwt": [await attested.wallet().proof()]}, "company-identity")
    assert other.status == 200


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_d_1_the_proofs_key_must_be_attested(attested: World) -> None:
    compact = await PROVIDER.key_attestation(BESIDE, nonce=attested.wallet().nonce())
    answer = await ask(attested, {"jwt": [await with_header(attested, compact)]})
    assert (answer.error, "not among" in answer.body.decode()) == ("invalid_proof", True)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_attestation_that_is_shown_must_be_good_even_where_none_is_needed(
    attested: World,
) -> None:
    stranger = await OTHER.key_attestation(
        attested.wallet().holder, nonce=attested.wallet().nonce()
    )
    for shown in (stranger, 7, "text"):
        proofs = {"jwt": [await with_header(attested, shown)]}
        assert (await ask(attested, proofs, "company-identity")).error == "invalid_proof"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("count", "code"), [(0, "invalid_proof"), (1, None), (2, "invalid_proof")])
async def test_f_3_exactly_one_attestation(attested: World, count: int, code: str | None) -> None:
    compact = await PROVIDER.key_attestation(BESIDE, nonce=attested.wallet().nonce())
    answer = await ask(attested, {"attestation": [compact] * count})
    assert answer.status == 200 if code is None else answer.error == code


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_where_nobody_is_trusted_the_type_attestation_does_not_exist(world: World) -> None:
    compact = await PROVIDER.key_attestation(BESIDE, nonce=world.wallet().nonce())
    assert (await ask(world, {"attestation": [compact]})).error == "invalid_credential_request"
    unread = {"jwt": [await with_header(world, "nobody looks at it")]}
    assert (await ask(world, unread)).status == 200


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_12_2_4_the_metadata_says_what_a_key_needs(attested: World) -> None:
    def types(name: str, trusted: TableAttesters | None = TRUSTED) -> dict[str, Any]:
        issuer = replace(attested.issuer, attesters=trusted)
        document = issuer_metadata(issuer)
        found: dict[str, Any] = document["credential_configurations_supported"][name][
            "proof_types_supported"
        ]
        return found

    needed = {
        "key_storage": ["iso_18045_high"],
        "user_authentication": ["iso_18045_high", "iso_18045_moderate"],
    }
    for proof_type in ("jwt", "attestation"):
        one = types("representative")[proof_type]
        assert one["key_attestations_required"] == needed
        assert one["proof_signing_alg_values_supported"] == ["ES256"]
        assert "key_attestations_required" not in types("company-identity")[proof_type]
    assert list(types("company-identity", None)) == ["jwt"]


def test_empty_levels_are_an_empty_object() -> None:
    assert KeyAttestationNeed().document() == {}


async def test_a_signature_by_the_key_of_the_holder_itself_is_no_attestation() -> None:
    claims = {
        "iat": int(NOW),
        "exp": int(NOW) + 60,
        "nonce": nonce(),
        "attested_keys": [bare(HELD)],
    }
    forged = await jws.sign(HELD, claims, typ=KEY_ATTESTATION, header={"jwk": bare(HELD)})
    with pytest.raises(InvalidProof):
        await check(forged)
