"""docs/credential-types.md is what tools/credential_types_page.py makes of the types."""

from corpid.services.credential_catalogue import TYPES
from tools.credential_types_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tools.credential_types_page"


def test_every_type_is_there_with_every_claim() -> None:
    text = PAGE.read_text("utf-8")
    for one in TYPES.values():
        section = text.partition(f"\n## {one.type_id}\n")[2].partition("\n## ")[0]
        for claim in one.claims:
            assert claim.labels["en"] in section
            assert str(claim.path[0]) in section
