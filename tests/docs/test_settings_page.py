"""docs/settings.md is what tools/settings_page.py makes of corpid/settings.py."""

from corpid.settings import Settings
from tools.settings_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tools.settings_page"


def test_every_setting_is_explained_with_its_variable() -> None:
    text = PAGE.read_text("utf-8")
    for name, field in Settings.model_fields.items():
        assert f"`CORPID_{name.upper()}`" in text
        assert field.description
