"""Credentials issued from a file: shown first, each line once, also over kill -9."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from keys.signer import generate
from oidc.formats.sd_jwt import parse, unverified_claims
from tests.support import killed_issuing
from tests.support.cli import Cli, add_director, add_person, audited

NUMBER = "99000001"


@pytest.fixture(autouse=True)
def _a_director(request: pytest.FixtureRequest) -> None:
    cli = request.getfixturevalue("any_cli" if "any_cli" in request.fixturenames else "cli")
    add_person(cli)
    add_director(cli)


def row(**more: Any) -> dict[str, Any]:
    """A key by the operator's word."""
    asked = {"organisation": NUMBER, "type": "company-identity", **more}
    if not asked.keys() & {"proof", "offer", "jwk"}:
        asked["jwk"] = dict(generate("ES256").public_jwk)
    return asked


def written(cli: Cli, rows: Sequence[Mapping[str, Any]]) -> str:
    file = cli.folder / "rows.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return str(file)


def results_of(file: Path) -> list[dict[str, Any]]:
    head, *lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert set(head) == {"batch"}
    return lines


def issue(cli: Cli, rows: str, **settings: str) -> dict[str, Any]:
    results = str(cli.folder / "results")
    words = ("credential", "issue", rows, "--results", results, "--reason", "seen", "--yes")
    done: dict[str, Any] = cli.json(*words, **settings)
    return done


def everything(cli: Cli, event: str) -> tuple[Counter[str], list[Any]]:
    """How many credentials there are by state, and what the audit trail has of that event."""
    found = cli.json("credential", "list", "--limit", "1000")
    return Counter(one["state"] for one in found), audited(cli, event)


def test_a_dry_run_says_what_it_would_do_and_which_rows_are_bad(cli: Cli) -> None:
    rows = written(
        cli,
        [
            row(),
            row(type="no-such-type"),
            row(organisation="99999999"),
            row(jwk={"kty": "EC", "crv": "P-256", "x": "no", "y": "key"}),
            row(jwk=dict(generate("RS256").public_jwk)),
            row(type="representative"),
            {"organisation": NUMBER, "type": "company-identity"},
            row(offer=True),
            row(colour="red"),
            row(person="nobody"),
        ],
    )
    with Path(rows).open("a") as stream:
        stream.write("no json\n")
    planned = cli.json("credential", "issue", rows, "--reason", "seen")
    assert (planned["dry_run"], planned["rows"], planned["issued"]) == (True, 11, 1)
    assert (planned["offered"], planned["refused"]) == (1, 9)
    problems = {one["line"]: one["code"] for one in planned["problems"]}
    assert problems == {
        2: "invalid_value",
        3: "not_found",
        4: "invalid_value",
        5: "invalid_value",
        6: "key_not_proven",
        7: "invalid_value",
        9: "invalid_value",
        10: "not_found",
        11: "invalid_value",
    }
    assert everything(cli, "credential.issued") == (Counter(), [])
    assert everything(cli, "credential.refused")[1] == []


def test_the_good_rows_are_issued_and_the_results_are_the_operators_alone(cli: Cli) -> None:
    key = generate("ES256")
    rows = written(cli, [row(jwk=dict(key.public_jwk)), row(type="mandate"), row(offer=True)])
    done = issue(cli, rows)
    assert (done["dry_run"], done["issued"], done["offered"], done["refused"]) == (False, 1, 1, 1)
    results = cli.folder / "results"
    assert results.stat().st_mode & 0o777 == 0o600
    first, second, third = results_of(results)
    claims = unverified_claims(parse(first["credential"]))
    assert claims["cnf"]["jwk"]["x"] == key.public_jwk["x"]
    assert (second["line"], second["error"]) == (2, "key_not_proven")
    assert third["transaction_code"].isdigit()
    assert third["link"].startswith("openid-credential-offer://?credential_offer=")
    states, told = everything(cli, "credential.issued")
    assert states == {"issued": 1}
    assert (told[0]["key"], told[0]["reason"], told[0]["line"]) == ("operator", "seen", 1)
    assert told[0]["actor"].startswith("operator:")
    (refused,) = everything(cli, "credential.refused")[1]
    assert (refused["reason"], refused["line"]) == ("key_not_proven", 2)
    (offered,) = everything(cli, "offer.created")[1]
    assert offered["line"] == 3


def test_a_file_that_was_done_is_not_done_again(cli: Cli) -> None:
    rows = written(cli, [row(), row()])
    assert issue(cli, rows)["issued"] == 2
    before = (cli.folder / "results").read_bytes()
    planned = cli.json("credential", "issue", rows, "--reason", "seen")
    assert (planned["done_before"], planned["refused"]) == (2, 0)
    assert issue(cli, rows)["rows"] == 0
    assert (cli.folder / "results").read_bytes() == before
    (cli.folder / "results").unlink()
    words = ("credential", "issue", rows, "--results", str(cli.folder / "results"), "--yes")
    code, error, message = cli.refused(*words)
    assert (code, error) == (1, "batch_stopped")
    assert "name the file that the run before wrote its results to" in message
    assert everything(cli, "")[0] == {"issued": 2}


def test_results_of_something_else_are_not_written_over(cli: Cli) -> None:
    rows = written(cli, [row()])
    other = cli.folder / "results"
    other.write_text("precious\n")
    words = ("credential", "issue", rows, "--results", str(other), "--reason", "seen", "--yes")
    assert cli.refused(*words)[1] == "other_results"
    assert other.read_text() == "precious\n"
    assert cli.refused("credential", "issue", rows, "--yes")[1] == "invalid_value"
    assert everything(cli, "")[0] == {}


def test_kill_9_in_the_middle_and_every_line_is_done_once(cli: Cli) -> None:
    count = 200
    keys = [dict(generate("ES256").public_jwk) for _ in range(count)]
    rows = written(cli, [row(jwk=key) for key in keys])
    results = cli.folder / "results"
    for where, chunk in (("before", 3), ("torn", 2)):
        killed = subprocess.run(
            [
                sys.executable, killed_issuing.__file__, where, str(chunk), "credential", "issue",
                rows, "--results", str(results), "--reason", "seen", "--yes",
            ],
            env={**os.environ, **cli.environment},
            capture_output=True,
        )  # fmt: skip
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    issue(cli, rows)
    told = results_of(results)
    assert [one["line"] for one in told] == list(range(1, count + 1))
    named = {one["credential_id"] for one in told}
    assert len(named) == count
    # What was recorded and never told has ended, and nothing else has.
    states, _ = everything(cli, "")
    assert states["issued"] == count
    assert 0 < states["replaced"] < count
    live = cli.json("credential", "list", "--state", "issued", "--limit", "1000")
    assert {one["credential_id"] for one in live} == named
    assert len({one["holder_thumbprint"] for one in live}) == count
    (finished,) = everything(cli, "issuance_batch.finished")[1]
    assert (finished["issued"], finished["refused"]) == (count, 0)


def test_one_credential_goes_into_a_file_of_its_own(cli: Cli) -> None:
    (cli.folder / "key").write_text(json.dumps(dict(generate("ES256").public_jwk)))
    one = ("credential", "issue", "--organisation", NUMBER, "--jwk", str(cli.folder / "key"))
    file = cli.folder / "credential"
    company = (*one, "--type", "company-identity", "--reason", "seen", "--results", str(file))
    assert cli.json(*company)["dry_run"] is True
    assert not file.exists()
    made = cli.json(*company, "--yes")
    assert made["written_to"] == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    claims = unverified_claims(parse(file.read_text().strip()))
    assert claims["vct"].endswith("/company-identity/1")
    assert cli.refused(*company, "--yes")[1] == "unwritable_file"
    other = (*one, "--type", "mandate", "--reason", "seen", "--results", f"{file}-2", "--yes")
    assert cli.refused(*other)[1] == "credential_request_denied"
    assert not Path(f"{file}-2").exists()
    assert everything(cli, "")[0] == {"issued": 1}
    nonce = cli.json("credential", "nonce")
    assert (nonce["aud"], nonce["seconds"]) == (cli.environment["CORPID_ISSUER"], 604_800)
    assert cli.refused(*one, "rows.jsonl")[1] == "invalid_value"


def test_csv(cli: Cli) -> None:
    file = cli.folder / "rows.csv"
    with file.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["organisation", "type", "person", "jwk", "offer"])
        key = json.dumps(dict(generate("ES256").public_jwk))
        table.writerow([NUMBER, "company-identity", "sample.person", key, ""])
        table.writerow([NUMBER, "representative", "", "", "yes"])
        table.writerow([NUMBER, "representative"])
    done = issue(cli, str(file))
    assert (done["issued"], done["offered"], done["refused"]) == (1, 1, 1)
    assert done["problems"][0]["reason"] == "the line has 2 fields, the head 5"


def test_many_are_suspended_resumed_and_revoked(any_cli: Cli) -> None:
    cli = any_cli
    issue(cli, written(cli, [row() for _ in range(12)]))
    results = str(cli.folder / "results")
    words = ("--from", results, "--reason", "stolen")
    planned = cli.json("credential", "suspend", *words)
    assert (planned["dry_run"], planned["changed"], planned["without_credential"]) == (True, 12, 1)
    assert everything(cli, "")[0] == {"issued": 12}
    assert cli.json("credential", "suspend", *words, "--yes")["changed"] == 12
    assert everything(cli, "")[0] == {"suspended": 12}
    again = cli.json("credential", "suspend", *words, "--yes")
    assert (again["already"], again.get("changed", 0)) == (12, 0)
    resumed = cli.json("credential", "resume", "--organisation", NUMBER, "--yes")
    assert resumed["changed"] == 12
    other = cli.json("credential", "revoke", "--type", "representative", "--yes")
    assert other["rows"] == 0
    only = (cli.folder / "ids.csv", results_of(Path(results))[0]["credential_id"])
    only[0].write_text(f"credential_id\n{only[1]}\nunknown\n\n")
    some = cli.json("credential", "revoke", "--from", str(only[0]), "--yes")
    assert (some["changed"], some["problems"][0]["code"]) == (1, "not_found")
    kind = ("--organisation", NUMBER, "--type", "company-identity")
    assert cli.json("credential", "revoke", *kind, "--reason", "wrong", "--yes")["changed"] == 11
    assert everything(cli, "")[0] == {"revoked": 12}
    assert len(everything(cli, "revocation.revoke_credential")[1]) == 12
    assert cli.refused("credential", "revoke", only[1], *kind)[1] == "invalid_value"


@pytest.mark.parametrize("reach", [(), ("--wallet",)])
def test_offers_that_went_out_by_mistake_are_withdrawn_with_the_file(
    cli: Cli, reach: tuple[str, ...]
) -> None:
    offered = row(type="representative", offer=True)
    issue(cli, written(cli, [row(), offered, offered]))
    words = ("--from", str(cli.folder / "results"), "--reason", "the wrong file")
    held = cli.json("credential", "suspend", *words, "--yes")
    assert (held["changed"], held["without_credential"]) == (1, 3)
    planned = cli.json("credential", "revoke", *words, *reach)
    assert (planned["changed"], planned["offers_withdrawn"]) == (1, 2)
    assert everything(cli, "offer.withdrawn")[1] == []
    done = cli.json("credential", "revoke", *words, *reach, "--yes")
    assert (done["changed"], done["offers_withdrawn"], done["without_credential"]) == (1, 2, 1)
    assert len(everything(cli, "offer.withdrawn")[1]) == 2
    assert cli.json("credential", "revoke", *words, "--yes")["already"] == 3
