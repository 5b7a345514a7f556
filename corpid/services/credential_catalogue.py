"""Every credential type there is, found in ``services/credential_types``: a new file adds one.

Of a type with several versions the newest is issued; the others keep their type metadata, for
credentials that were issued by them are in wallets still.
"""

import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from corpid.services import credential_types
from corpid.services.credential_type import CredentialType
from oidc.issuer.configuration import MDOC, SD_JWT_VC, VC_JWT, CredentialConfiguration
from oidc.issuer.type_description import TypeDescription


@dataclass(frozen=True, slots=True)
class CredentialFormat:
    """A format that every type is issued in.

    ``suffix`` makes the configuration's id from the type's. ``binding_methods`` is how the holder's
    key is named in it.
    """

    name: str
    suffix: str
    binding_methods: tuple[str, ...]


FORMATS: Final = (
    CredentialFormat(SD_JWT_VC, "", ("jwk",)),
    CredentialFormat(MDOC, "-mdoc", ("cose_key",)),
    CredentialFormat(VC_JWT, "-vc-jwt", ("jwk",)),
)


def newest(types: Iterable[CredentialType]) -> dict[str, CredentialType]:
    """The newest version of each type, by the type's id.

    Raises:
        ValueError: one version of one type is described twice.
    """
    found: dict[tuple[str, int], CredentialType] = {}
    for one in types:
        if found.setdefault((one.type_id, int(one.version)), one) is not one:
            raise ValueError(f"{one.type_id}/{one.version} is described twice")
    return {name: found[name, version] for name, version in sorted(found)}


def _found() -> tuple[CredentialType, ...]:
    package = credential_types.__name__
    names = sorted(one.name for one in pkgutil.iter_modules(credential_types.__path__))
    found = [import_module(f"{package}.{name}").TYPE for name in names]
    assert all(isinstance(one, CredentialType) for one in found)
    return tuple(found)


VERSIONS: Final = _found()
TYPES: Final = newest(VERSIONS)
SCOPES: Final = tuple(one.scope for one in TYPES.values())
_BY_CONFIGURATION: Final = {
    type_id + form.suffix: one for form in FORMATS for type_id, one in TYPES.items()
}
CONFIGURATION_IDS: Final = tuple(_BY_CONFIGURATION)
_BY_SCOPE: Final = {one.scope: one for one in TYPES.values()}


def type_of_configuration(configuration_id: str) -> CredentialType | None:
    """What that credential configuration gives, in whatever format."""
    return _BY_CONFIGURATION.get(configuration_id)


def type_of_scope(scope: str) -> CredentialType | None:
    """What that scope gives access to."""
    return _BY_SCOPE.get(scope)


def configurations(vct_base: str) -> dict[str, CredentialConfiguration]:
    """Every credential configuration by its id; ``vct_base`` is the URL before the type."""
    made = []
    for one in TYPES.values():
        description = one.described(vct_base)
        made += [
            CredentialConfiguration(
                description=description,
                configuration_id=one.type_id + form.suffix,
                scope=one.scope,
                format=form.name,
                binding_methods=form.binding_methods,
            )
            for form in FORMATS
        ]
    return {one.configuration_id: one for one in made}


def earlier(vct_base: str) -> tuple[TypeDescription, ...]:
    """The versions that are not issued any more."""
    current = TYPES.values()
    return tuple(one.described(vct_base) for one in VERSIONS if one not in current)


def longest_lifetime() -> int:
    """Of any credential, in seconds."""
    return max(one.lifetime for one in VERSIONS)
