from hypothesis import settings

# How long an example takes says nothing on a machine that does other work as well.
settings.register_profile("corpid", deadline=None)
settings.load_profile("corpid")

pytest_plugins = ["tests.support.databases", "tests.support.figures"]
