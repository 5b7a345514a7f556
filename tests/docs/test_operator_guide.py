"""docs/guide-operator.md: its commands and samples, run in order in one temporary service."""

import json
import time

from tests.docs.reading import Document
from tests.docs.runner import Runner
from tests.docs.site import DocumentSite
from tests.support.certificates import Authority
from tests.support.fapi_client import Key

COMPANY = {
    "Brn": "99555001",
    "English_Company_Name": "SAMPLE PAPER BOAT LIMITED",
    "Chinese_Company_Name": "樣本紙船有限公司",
    "Address_of_Registered_Office": "1 Example Road, Hong Kong (fictional)",
    "Company_Type": "Private company limited by shares",
    "Date_of_Incorporation": "02-01-2019",
}
ROWS = """organisation,type,person,offer
99000001,company-identity,sample.director,yes
99000001,representative,sample.director,yes
"""


def _credential(runner: Runner) -> None:
    """A wallet takes a credential, so that there is one to revoke."""
    offer = runner.site.cli.json(
        "offer", "create", "--organisation", "99000001", "--person", "sample.clerk",
        "--type", "company-identity",
    )  # fmt: skip
    runner.site.credential(offer, "company-identity")


def test_the_guide_is_true_from_beginning_to_end(site: DocumentSite) -> None:
    for name in ("bank", "bank2"):
        (site.folder / f"{name}.jwks.json").write_text(json.dumps(Key().jwks))
    (site.folder / "businesses.csv").write_text(ROWS)
    (site.folder / "companies.json").write_text(json.dumps([COMPANY]))
    (site.folder / "wallet-anchors.pem").write_text(Authority(time.time()).pem)
    Runner(site, Document("docs/guide-operator.md")).run({"credential": _credential})
