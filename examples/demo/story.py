"""What happens in the demo, in order."""

import time
from typing import Any
from urllib.parse import urlsplit

from examples.demo.account import Account, Unexpected
from examples.demo.browser import Browser, one_time_code
from examples.demo.stage import Stage
from examples.relying_parties.http_json import request

BRN = "99000001"
OTHER_BRN = "99000002"
DIRECTOR = "sample.director"
COMPANY, REPRESENTATIVE = "company-identity", "representative"


def tell(stage: Stage, account: Account) -> None:
    """The whole story."""
    person = _prepare(stage, account)
    representation = _register(stage, account)
    _start(stage, account)
    _sign_in(stage, account, person)
    _issue(stage, account)
    _verify(stage, account)
    _revoke(stage, account)
    _end_authority(stage, account, representation)


def _prepare(stage: Stage, account: Account) -> dict[str, Any]:
    account.chapter("The operator sets the service up")
    with account.step("the relying parties' wheel is built and installed by itself"):
        account.say(stage.install_wheel())
    with account.step("corpid init: master key, database, first signing keys"):
        stage.corpid("init")
    with account.step("corpid register import --sample"):
        imported = stage.corpid("register", "import", "--sample")
        account.say(
            ", ".join(
                f"{name} {value}" for name, value in imported.items() if isinstance(value, int)
            )
        )
    with account.step("a representative is enrolled: password and one-time codes"):
        return stage.corpid(
            "person",
            "add",
            "--name-en",
            "Sample Director",
            "--name-zh-hant",
            "樣本董事",
            "--username",
            DIRECTOR,
            "--generate-password",
            "--totp",
        )


def _register(stage: Stage, account: Account) -> str:
    account.chapter("A business is found by its registration number")
    with account.step(f"corpid organisation show {BRN}-000-01-26-1 (as printed)"):
        shown = stage.corpid("organisation", "show", f"{BRN}-000")
        account.say(_one_line(shown))
    with account.step("a number that cannot be one is refused with the reason"):
        answer = stage.corpid("organisation", "show", "1234567", expect=1)
        account.refused("the number 1234567", answer.get("error"), "invalid_value")
    with account.step("the register says that the person is its director"):
        added = stage.corpid(
            "representation",
            "add",
            "--organisation",
            BRN,
            "--person",
            DIRECTOR,
            "--role",
            "director",
        )
    return str(added["representation_id"])


def _start(stage: Stage, account: Account) -> None:
    account.chapter("Service, wallet, bank and partner start, each a process of its own")
    with account.step("the service"):
        stage.start_service()
        account.say(stage.issuer)
    with account.step("the wallet and the partner"):
        stage.start_party("wallet")
        stage.start_party("partner", stage.issuer)
    with account.step("the bank, registered as a FAPI 2.0 client while the service runs"):
        private, public = stage.make_client_key("bank")
        address = stage.start_party("bank", stage.issuer, "demo-bank", str(private))
        stage.corpid(
            "client",
            "add",
            "--client-id",
            "demo-bank",
            "--name-en",
            "Sample Bank",
            "--profile",
            "fapi2",
            "--redirect-uri",
            f"{address}/callback",
            "--jwks",
            str(public),
            "--scope",
            "openid",
            "--scope",
            "entity.identity",
            "--scope",
            "user.name",
            "--scope",
            "mandate",
            "--scope",
            "offline_access",
        )


def _sign_in(stage: Stage, account: Account, person: dict[str, Any]) -> None:
    account.chapter("The representative signs in at the bank and acts for the business")
    bank = stage.addresses["bank"]
    with Browser(stage.issuer) as browser:
        with account.step("the bank pushes its request; the browser is sent to the service"):
            begun = stage.ask("bank", "/login", {"redirect_uri": f"{bank}/callback"})
            account.expect(f"the bank could not begin: {begun}", "location" in begun)
            browser.open(begun["location"])
            account.say(f"page: {browser.title}")
        with account.step("a wrong password is refused"):
            browser.submit(username=DIRECTOR, password="not the password")
            account.expect(
                "a wrong password signed in",
                browser.form is not None and "password" in browser.form.fields,
            )
            account.refusals += 1
        with account.step("password, one-time code, consent"):
            end = _through_the_pages(browser, person, account)
        with account.step("the bank exchanges the code and verifies the ID token"):
            parts = urlsplit(end)
            _, _, signed_in = request("GET", f"{bank}{parts.path}?{parts.query}")
            account.expect(f"the bank refused: {signed_in}", "organisation" in (signed_in or {}))
            organisation = signed_in["organisation"]
            account.say(
                f"business {organisation['entity_reg_number']} {organisation['entity_name']} "
                f"{organisation.get('entity_name#zh-Hant', '')}"
            )
            account.say(
                f"acting: {signed_in['representative']['sub_attributes']['name']}, "
                f"authority: {signed_in['mandate'].get('role') or signed_in['mandate']['powers']}"
                f", assurance {signed_in['acr'].rsplit('/', 1)[-1]}"
            )
            account.expect("another business", organisation["entity_reg_number"] == BRN)
        with account.step("the same code a second time"):
            _, _, again = request("GET", f"{bank}{parts.path}?{parts.query}")
            account.refused("the callback replayed at the bank", again["error"], "unknown_state")
    with account.step("the bank refreshes its tokens"):
        account.expect("refresh failed", stage.ask("bank", "/refresh")["status"] == 200)


def _through_the_pages(browser: Browser, person: dict[str, Any], account: Account) -> str:
    """From the sign-in page to the address of the relying party."""
    end = browser.submit(username=DIRECTOR, password=person["password"])
    for _ in range(6):
        form = browser.form
        if form is None or not end.startswith(browser.home):
            return end
        account.say(f"page: {browser.title}")
        if "otp" in form.fields:
            end = browser.submit(otp=one_time_code(person["totp_secret"]))
        elif "organisation" in form.choices:
            end = browser.submit(organisation=form.choices["organisation"][0])
        else:
            end = browser.submit(action="approve")
    raise Unexpected("the pages did not come to an end")


def _issue(stage: Stage, account: Account) -> None:
    account.chapter("A wallet receives the credentials")
    offer_for = ("--person", DIRECTOR, "--type", COMPANY, "--type", REPRESENTATIVE)
    with account.step("an offer for a business that the person does not act for"):
        answer = stage.corpid("offer", "create", "--organisation", OTHER_BRN, *offer_for, expect=1)
        account.refused("the offer", answer.get("error"), "not_allowed")
    with account.step("corpid offer create"):
        offer = stage.corpid("offer", "create", "--organisation", BRN, *offer_for)
    with account.step("a wrong transaction code"):
        wrong = "000000" if offer["transaction_code"] != "000000" else "111111"
        answer = stage.ask("wallet", "/accept", {"offer": offer["link"], "tx_code": wrong})
        account.refused("the wallet's token request", answer.get("error"), "invalid_grant")
    with account.step("the wallet takes both credentials"):
        answer = stage.ask(
            "wallet", "/accept", {"offer": offer["link"], "tx_code": offer["transaction_code"]}
        )
        account.expect(f"the wallet failed: {answer}", len(answer.get("received", ())) == 2)
        account.say(", ".join(answer["received"]))
    with account.step("the offer a second time"):
        answer = stage.ask(
            "wallet", "/accept", {"offer": offer["link"], "tx_code": offer["transaction_code"]}
        )
        account.refused("a used offer", answer.get("error"), "invalid_grant")


def _present(
    stage: Stage, to: str, kind: str, disclose: list[str], *, nonce: str | None = None
) -> dict[str, Any]:
    asked = stage.ask(to, "/challenge")
    shown = stage.ask(
        "wallet",
        "/present",
        {
            "type": kind,
            "disclose": disclose,
            "audience": asked["audience"],
            "nonce": nonce or asked["nonce"],
        },
    )
    value = {"presentation": shown["presentation"], "nonce": asked["nonce"]}
    return stage.ask(to, "/present", value)


def _verify(stage: Stage, account: Account) -> None:
    account.chapter("Bank and partner verify what the wallet presents")
    with account.step("the bank checks the company"):
        answer = _present(stage, "bank", COMPANY, ["legal_person_name", "legal_person_status"])
        account.expect(f"not valid: {answer}", answer.get("outcome") == "valid")
        account.say(f"valid: {answer['claims'].get('legal_person_name')}")
        account.expect("more was told than shown", "registered_address" not in answer["claims"])
    with account.step("the partner checks who may act for it"):
        answer = _present(stage, "partner", REPRESENTATIVE, ["full_name", "person_role"])
        account.expect(f"not valid: {answer}", answer.get("outcome") == "valid")
        account.say(f"valid: {answer['claims'].get('person_role')}")
    with account.step("a presentation made for another request"):
        answer = _present(stage, "partner", COMPANY, [], nonce="made-for-somebody-else")
        account.refused("a replayed presentation", answer.get("code"), "key_binding_invalid")


def _revoke(stage: Stage, account: Account) -> None:
    account.chapter("The operator revokes the company's credential")
    listed = stage.corpid("credential", "list", "--organisation", BRN)
    credential = next(row["credential_id"] for row in listed if row["type"] == COMPANY)
    with account.step("corpid credential revoke (a dry run changes nothing)"):
        stage.corpid("credential", "revoke", credential)
        answer = _present(stage, "bank", COMPANY, [])
        account.expect(f"not valid: {answer}", answer.get("outcome") == "valid")
    with account.step("corpid credential revoke --yes"):
        stage.corpid("credential", "revoke", credential, "--reason", "demo", "--yes")
        done = time.perf_counter()
    with account.step("the next check refuses it"):
        answer = _until_refused(stage, "bank", COMPANY)
        account.say(f"{(time.perf_counter() - done) * 1000:.0f} ms after the command ended")
        account.refused("the bank's check", answer.get("code"), "credential_revoked")
        answer = _present(stage, "partner", COMPANY, [])
        account.refused("the partner's check", answer.get("code"), "credential_revoked")


def _end_authority(stage: Stage, account: Account, representation: str) -> None:
    account.chapter("The person is no longer director: one act ends everything")
    with account.step("corpid representation end --yes"):
        report = stage.corpid("representation", "end", representation, "--yes")
        account.say(_one_line(report))
    with account.step("the bank's tokens are over"):
        answer = stage.ask("bank", "/refresh")
        account.refused("the bank's refresh", answer.get("error"), "invalid_grant")
    with account.step("the representative's credential is over"):
        answer = _until_refused(stage, "partner", REPRESENTATIVE)
        account.refused("the partner's check", answer.get("code"), "credential_revoked")


def _until_refused(stage: Stage, to: str, kind: str) -> dict[str, Any]:
    """Present until refused: revocation promises seconds, this gives it one."""
    deadline = time.monotonic() + 1
    while True:
        answer = _present(stage, to, kind, [])
        if answer.get("outcome") != "valid" or time.monotonic() > deadline:
            return answer


def _one_line(value: Any) -> str:
    """The plain facts of a document, on one line."""
    if not isinstance(value, dict):
        return str(value)
    plain = [f"{k}={v}" for k, v in value.items() if isinstance(v, str | int) and v not in ("", 0)]
    return ", ".join(plain)[:160]
