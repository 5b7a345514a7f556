"""A digital identity for every business, tied to its business registration number.

Relying parties start at `corpid.relying_party`; the service is put together in `corpid.wiring`.
This module imports nothing but the version, because everything above passes through it.
"""

from corpid.version import __version__

__all__ = ["__version__"]
