import gc

from hypothesis import settings

from corpid.web.edge import configure_logging

# How long an example takes says nothing on a machine that does other work as well.
settings.register_profile("corpid", deadline=None)
settings.load_profile("corpid")

pytest_plugins = ["tests.support.databases", "tests.support.figures", "tests.support.longest_first"]


def pytest_configure() -> None:
    # As the service does; the library's own default draws a traceback for ten seconds.
    configure_logging("json")


def pytest_collection_finish() -> None:
    # What was collected stays to the end: a tenth of the time went into walking through it.
    gc.collect()
    gc.freeze()
