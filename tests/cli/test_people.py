"""`corpid person` and `corpid representation`."""

import asyncio

import pytest

from corpid.services.passwords import Passwords
from tests.support.cli import Cli, add_director, add_person, grant


def test_a_generated_password_and_totp_secret_are_shown_once(cli: Cli) -> None:
    added = cli.json(
        "person", "add", "--name-en", "Sample Person", "--username", "sample.person",
        "--generate-password", "--totp", "--email", "sample@example.org",
    )  # fmt: skip
    assert len(added["password"]) == 29
    assert added["totp_uri"].startswith("otpauth://totp/")
    for reference in ("sample.person", "SAMPLE.person", added["person_id"]):
        shown = cli.json("person", "show", reference)
        assert shown["username"] == "sample.person"
        assert shown["one_time_codes"] is True
        assert added["password"] not in str(shown)
        assert added["totp_secret"] not in str(shown)


async def _stored_hash(cli: Cli, username: str) -> str:
    from corpid.storage.database import open_database
    from corpid.storage.store import SqlStore

    database = await open_database(cli.environment["CORPID_DATABASE_URL"])
    try:
        found = await SqlStore(database, lambda: 0.0, bytes).read.people.by_username(username)
    finally:
        await database.close()
    assert found is not None
    return found.password_hash


def test_a_password_comes_from_a_file_or_standard_input(cli: Cli) -> None:
    (cli.folder / "secret").write_text("correct horse\n")
    cli.json(
        "person", "add", "--name-en", "A", "--username", "a.file",
        "--password-file", str(cli.folder / "secret"),
    )  # fmt: skip
    outcome = cli.run(
        "person", "add", "--name-zh-hant", "樣本", "--username", "a.pipe", "--password-file", "-",
        "--json", stdin="battery staple\n",
    )  # fmt: skip
    assert outcome.exit_code == 0
    passwords = Passwords(64)

    async def check() -> tuple[bool, bool]:
        of_file, of_pipe = await _stored_hash(cli, "a.file"), await _stored_hash(cli, "a.pipe")
        return (
            await passwords.verify(of_file, "correct horse"),
            await passwords.verify(of_pipe, "battery staple"),
        )

    assert asyncio.run(check()) == (True, True)
    passwords.close()


def test_a_person_needs_no_means_to_sign_in(any_cli: Cli) -> None:
    added = any_cli.json("person", "add", "--name-zh-hans", "样本")
    shown = any_cli.json("person", "show", added["person_id"])
    assert (shown["username"], shown["one_time_codes"]) == (None, False)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "name in at least one language"),
        (("--name-en", "A", "--generate-password"), "--username"),
        (("--name-en", "A", "--username", "Bad Name", "--generate-password"), "lower-case"),
        (("--name-en", "A", "--totp"), "beside a password"),
        (("--name-en", "A", "--phone", "12345678"), "+852"),
        (("--name-en", "A", "--email", "nobody"), "name@host"),
    ],
)
def test_what_cannot_be_a_person_is_refused(
    cli: Cli, words: tuple[str, ...], expected: str
) -> None:
    code, error, message = cli.refused("person", "add", *words)
    assert (code, error) == (1, "invalid_value")
    assert expected in message


def test_a_short_password_and_a_taken_username_are_refused(cli: Cli) -> None:
    add_person(cli)
    (cli.folder / "secret").write_text("short")
    words = ("person", "add", "--name-en", "A", "--password-file", str(cli.folder / "secret"))
    assert "8 to 256" in cli.refused(*words, "--username", "a")[2]
    (cli.folder / "secret").write_text("long enough")
    assert cli.refused(*words, "--username", "sample.person")[:2] == (1, "already_exists")
    assert cli.refused("person", "show", "nobody")[:2] == (4, "not_found")


def test_closing_an_account_ends_the_mandates_held(cli: Cli) -> None:
    add_person(cli)
    mandate = grant(cli)
    planned = cli.json("person", "close", "sample.person")
    assert (planned["dry_run"], planned["ends"]["mandates"]) == (True, 1)
    assert cli.json("mandate", "show", mandate)["state"] == "active"

    assert cli.json("person", "close", "sample.person", "--yes")["done"] is True
    assert cli.json("mandate", "show", mandate)["state"] == "ended"
    assert cli.json("person", "show", "sample.person")["closed_at"] is not None
    assert cli.json("person", "close", "sample.person", "--yes")["already"] is True
    refused = cli.refused(
        "representation", "add", "--organisation", "99000001", "--person", "sample.person",
        "--role", "director",
    )  # fmt: skip
    assert refused[:2] == (1, "not_allowed")


def test_representations_are_added_listed_and_ended(any_cli: Cli) -> None:
    person = add_person(any_cli)
    added = add_director(any_cli)
    for words in (("--organisation", "99000001"), ("--person", "sample.person")):
        (listed,) = any_cli.json("representation", "list", *words)
        assert (listed["representation_id"], listed["person_id"]) == (added, person)
        assert listed["role"] == "director"
    planned = any_cli.json("representation", "end", added)
    assert planned["ends"]["representations"] == 1
    assert len(any_cli.json("representation", "list", "--organisation", "99000001")) == 1

    any_cli.json("representation", "end", added, "--yes", "--reason", "resigned")
    assert any_cli.json("representation", "list", "--organisation", "99000001") == []
    assert any_cli.json("representation", "list", "--person", "sample.person") == []


def test_representations_at_a_time_are_as_known_then(cli: Cli) -> None:
    add_person(cli)
    added = cli.json(
        "representation", "add", "--organisation", "99000001", "--person", "sample.person",
        "--role", "director",
    )  # fmt: skip
    cli.json("representation", "end", added["representation_id"], "--yes")
    then = ("--at", added["recorded_at"])
    by_person = cli.json("representation", "list", "--person", "sample.person", *then)
    by_business = cli.json("representation", "list", "--organisation", "99000001", *then)
    assert by_person == by_business
    assert cli.json("person", "show", "sample.person", *then)["representations"] == by_person
    assert cli.json("representation", "list", "--person", "sample.person") == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--valid-from", "2026-13-01"), "invalid_value"),
        (("--valid-from", "2026-01-02", "--valid-to", "2026-01-01"), "invalid_value"),
        (("--organisation", "12345678"), "not_found"),
    ],
)
def test_what_cannot_be_a_representation_is_refused(
    cli: Cli, words: tuple[str, ...], code: str
) -> None:
    add_person(cli)
    given = ("--organisation", "99000001", "--person", "sample.person", "--role", "director")
    assert cli.refused("representation", "add", *given, *words)[1] == code


def test_a_second_open_representation_of_the_same_role_is_refused(cli: Cli) -> None:
    add_person(cli)
    add_director(cli)
    refused = cli.refused(
        "representation", "add", "--organisation", "99000001", "--person", "sample.person",
        "--role", "director",
    )  # fmt: skip
    assert refused[:2] == (1, "already_exists")
    assert cli.refused("representation", "list")[:2] == (1, "invalid_value")


def test_a_person_whose_password_was_guessed_at_is_let_in_again(cli: Cli) -> None:
    add_person(cli, "sample.person")
    done = cli.json("person", "unblock", "sample.person")
    assert done["unblocked"] is True
    assert cli.json("person", "show", "sample.person")["person_id"] == done["person_id"]
    assert cli.refused("person", "unblock", "nobody.here")[:2] == (4, "not_found")
