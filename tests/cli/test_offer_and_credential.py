"""`corpid offer` and `corpid credential`."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from corpid.domain.credential import Credential, CredentialState, StatusEntry
from corpid.services.offers import GRANT_TYPE as PRE_AUTHORIZED_CODE
from corpid.services.ports import UnitOfWork
from corpid.services.records import CredentialRow
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from tests.support.cli import ISSUER, Cli, add_director, add_person, audited

OFFER = ("offer", "create", "--organisation", "99000001", "--person", "sample.person")


def test_an_offer_is_printed_as_link_code_and_qr(any_cli: Cli) -> None:
    add_person(any_cli)
    add_director(any_cli)
    made = any_cli.json(*OFFER, "--type", "representative", "--type", "company-identity")
    offer = orjson.loads(parse_qs(urlsplit(made["link"]).query)["credential_offer"][0])
    assert offer == made["offer"]
    assert offer["credential_issuer"] == ISSUER
    assert offer["credential_configuration_ids"] == ["representative", "company-identity"]
    assert len(made["transaction_code"]) == 6
    shown = any_cli.run(*OFFER, "--type", "representative", "--transaction-code", "4711")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("openid-credential-offer://?credential_offer=")
    assert "4711" in shown.stdout
    assert "█" in shown.stdout
    plain = any_cli.run(*OFFER, "--type", "representative", "--no-qr")
    assert "█" not in plain.stdout


def test_an_offer_by_both_grants_says_where_the_code_is(cli: Cli) -> None:
    add_person(cli)
    add_director(cli)
    both = ("--grant", "pre-authorized_code", "--grant", "authorization_code")
    words = (*OFFER, "--type", "representative", *both)
    made = cli.json(*words, "--description", "In the letter", "--transaction-code", "Kite2026")
    assert set(made["offer"]["grants"]) == {"authorization_code", PRE_AUTHORIZED_CODE}
    code = made["offer"]["grants"][PRE_AUTHORIZED_CODE]["tx_code"]
    assert code == {"input_mode": "text", "length": 8, "description": "In the letter"}
    signing_in = cli.json(*OFFER, "--type", "representative", "--grant", "authorization_code")
    assert signing_in["transaction_code"] is None
    assert "transaction code" not in cli.run(*OFFER, "--type", "representative", *both[2:]).stdout


def test_an_offer_needs_authority(cli: Cli) -> None:
    add_person(cli)
    words = (*OFFER, "--type", "representative")
    assert cli.refused(*words)[:2] == (1, "not_allowed")
    add_director(cli)
    assert cli.refused(*words, "--transaction-code", "1")[:2] == (1, "invalid_value")
    cli.json("organisation", "suspend", "99000001", "--yes")
    assert cli.refused(*words)[:2] == (1, "not_allowed")


@pytest.mark.parametrize(
    ("words", "act"),
    [
        (("--reason", "phone sold"), "revoke_credential"),
        (("--reason", "phone lost", "--wallet"), "revoke_wallet"),
        (("--reason", "key_compromise"), "revoke_wallet"),
        (("--reason", "key_compromise", "--key-only"), "revoke_credential"),
    ],
)
def test_a_compromised_key_ends_the_wallet_unless_told_otherwise(
    cli: Cli, issued: Credential, words: tuple[str, ...], act: str
) -> None:
    revoke = ("credential", "revoke", issued.credential_id, *words)
    shown = cli.json(*revoke)
    assert (shown["act"], shown["dry_run"], shown["ends"]["credentials"]) == (act, True, 1)
    assert cli.json(*revoke, "--yes")["done"]
    assert len(audited(cli, f"revocation.{act}")) == 1


def test_an_offer_is_withdrawn_by_its_id_and_shown_first(any_cli: Cli) -> None:
    add_person(any_cli)
    add_director(any_cli)
    first, second = [any_cli.json(*OFFER, "--type", "representative")["offer_id"] for _ in range(2)]
    withdraw = ("offer", "withdraw", first, "--reason", "wrong address")
    shown = any_cli.json(*withdraw)
    assert (shown["state"], shown["done"], shown["dry_run"]) == ("waiting", False, True)
    assert "Nothing was changed" in any_cli.run(*withdraw).stderr
    done = any_cli.json(*withdraw, "--yes")
    assert (done["state"], done["done"], done["already"]) == ("ended", True, False)
    again = any_cli.json(*withdraw, "--yes")
    assert (again["done"], again["already"]) == (False, True)
    assert again["ended_at"] == done["ended_at"]
    listed = any_cli.json("offer", "list", "--organisation", "99000001")
    assert [one["offer_id"] for one in listed] == [second]
    everything = any_cli.json("offer", "list", "--all", "--person", "sample.person")
    assert {one["offer_id"]: one["state"] for one in everything} == {
        first: "ended",
        second: "waiting",
    }
    assert len(any_cli.json("offer", "list", "--all", "--limit", "1")) == 1
    (told,) = audited(any_cli, "offer.withdrawn")
    assert (told["offer_id"], told["reason"]) == (first, "wrong address")
    assert told["actor"].startswith("operator:")
    assert any_cli.refused("offer", "withdraw", "unknown", "--yes")[:2] == (4, "not_found")
    assert any_cli.refused("offer", "withdraw", "unknown")[:2] == (4, "not_found")


@pytest.fixture
def issued(cli: Cli) -> Credential:
    """A credential as its issuance records it."""
    person = add_person(cli)
    representation = add_director(cli)
    organisation = cli.json("organisation", "show", "99000001")["organisation_id"]

    async def write() -> Credential:
        database = await open_database(cli.environment["CORPID_DATABASE_URL"])
        store = SqlStore(database, lambda: 1_800_000_000.0, lambda size: b"r" * size)
        (first, *_) = await store.read.status_lists.all()
        credential = Credential(
            credential_id="SampleCredential",
            credential_type="representative",
            type_version="1",
            credential_format="dc+sd-jwt",
            organisation_id=organisation,
            person_id=person,
            mandate_id=None,
            representation_id=representation,
            holder_thumbprint="t",
            entry=StatusEntry(first.list_id, 42),
            state=CredentialState.ACCEPTED,
            payload_digest=bytes(32),
            issued_at=1_700_000_000_000,
            expires_at=1_900_000_000_000,
            changed_at=1_700_000_000_000,
        )

        async def work(uow: UnitOfWork) -> None:
            await uow.credentials.add(CredentialRow(credential, "grant", "kid"))

        await store.write(work)
        await database.close()
        return credential

    return asyncio.run(write())


def test_a_credential_is_found_by_id_or_by_its_status_entry(cli: Cli, issued: Credential) -> None:
    by_id = cli.json("credential", "show", issued.credential_id)
    uri = f"{ISSUER}/status/{issued.entry.list_id}"
    by_entry = cli.json("credential", "show", "--status-uri", uri, "--index", "42")
    assert by_id == by_entry
    assert (by_id["state"], by_id["status"]) == ("accepted", "valid")
    assert cli.refused("credential", "show", "--status-uri", uri, "--index", "43")[1] == "not_found"
    elsewhere = ("--status-uri", "https://other.example/status/1", "--index", "42")
    assert cli.refused("credential", "show", *elsewhere)[1] == "not_found"
    assert cli.refused("credential", "show")[1] == "invalid_value"
    assert cli.refused("credential", "show", "x", "--status-uri", uri, "--index", "1")[0] == 1


def test_revoke_shows_first_and_does_with_yes(cli: Cli, issued: Credential) -> None:
    uri = f"{ISSUER}/status/{issued.entry.list_id}"
    words = ("credential", "revoke", "--status-uri", uri, "--index", "42", "--reason", "lost")
    assert cli.json(*words)["dry_run"] is True
    assert cli.json("credential", "show", issued.credential_id)["state"] == "accepted"
    done = cli.json(*words, "--yes")
    assert (done["done"], done["ends"]["credentials"]) == (True, 1)
    shown = cli.json("credential", "show", issued.credential_id)
    assert (shown["state"], shown["status"]) == ("revoked", "invalid")
    assert cli.json(*words, "--yes")["already"] is True


def test_suspend_and_resume_show_first_and_the_history_tells_of_them(
    cli: Cli, issued: Credential
) -> None:
    name = issued.credential_id
    suspend = ("credential", "suspend", name, "--reason", "phone mislaid")
    assert cli.json(*suspend)["dry_run"] is True
    assert cli.json("credential", "show", name)["status"] == "valid"
    assert cli.json(*suspend, "--yes")["ends"]["credentials"] == 1
    shown = cli.json("credential", "show", name)
    assert (shown["state"], shown["status"], shown["on_hold"]) == ("suspended", "suspended", True)
    done = cli.json("credential", "resume", name, "--yes", "--operator", "sample.clerk")
    assert done["done"] is True
    shown = cli.json("credential", "show", name)
    assert (shown["state"], shown["status"], shown["on_hold"]) == ("accepted", "valid", False)
    assert [(one["state"], one["reason"]) for one in shown["history"]] == [
        ("issued", None),
        ("suspended", "phone mislaid"),
        ("accepted", "resume_credential"),
    ]
    assert shown["history"][2]["by"] == "operator:sample.clerk"
    assert "phone mislaid" in cli.run("credential", "show", name).stdout
    then = cli.json("credential", "show", name, "--at", "2026-01-01")
    assert (then["state"], then["status"], len(then["history"])) == ("issued", "valid", 1)
    assert cli.refused("credential", "show", name, "--at", "2001-01-01")[1] == "not_found"


def test_credentials_are_listed(cli: Cli, issued: Credential) -> None:
    for words in (
        ("--organisation", "99000001"),
        ("--person", "sample.person", "--state", "accepted"),
    ):
        (listed,) = cli.json("credential", "list", *words)
        assert listed["credential_id"] == issued.credential_id
    assert cli.json("credential", "list", "--state", "revoked") == []


def test_ending_the_representation_counts_its_credentials(cli: Cli, issued: Credential) -> None:
    assert issued.representation_id is not None
    planned = cli.json("representation", "end", issued.representation_id)
    assert planned["ends"]["credentials"] == 1
