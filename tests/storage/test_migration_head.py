"""The revision that the code names is the one that the scripts lead to."""

from alembic.script import ScriptDirectory

from corpid.storage import migrations


def test_the_named_head_is_the_newest_script() -> None:
    scripts = ScriptDirectory.from_config(migrations._config())
    assert scripts.get_heads() == [migrations.HEAD]
