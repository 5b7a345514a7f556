"""What guide-operator.md and threat-model.md say of registers that end a business."""

import json

from tests.docs.site import DocumentSite
from tests.docs.test_operator_guide import COMPANY


def test_a_business_that_ceased_takes_its_credentials_with_it(site: DocumentSite) -> None:
    """Suspended while the register says so, revoked for good once it says that it ended."""
    cli, file = site.cli, site.folder / "companies.json"
    cli.json("init")

    def imported(status: str) -> int:
        file.write_text(json.dumps([{**COMPANY, "Company_Status": status}]))
        return int(cli.json("register", "import", str(file))["ended"])

    def status() -> str:
        (found,) = cli.json("credential", "list", "--organisation", COMPANY["Brn"])
        return str(cli.json("credential", "show", found["credential_id"])["status"])

    imported("live")
    who = ("--organisation", COMPANY["Brn"], "--person", "sample.person")
    cli.json("person", "add", "--name-en", "S", "--username", who[3], "--generate-password")
    cli.json("representation", "add", *who, "--role", "director")
    offer = cli.json("offer", "create", *who, "--type", "company-identity")
    site.credential(offer, "company-identity")
    assert status() == "valid"
    imported("in_liquidation")
    assert status() == "suspended"
    imported("live")
    assert status() == "valid"
    assert imported("dissolved") == 1
    assert status() == "invalid"
    assert cli.run("offer", "create", *who, "--type", "company-identity").exit_code == 1
    imported("live")
    assert status() == "invalid"
