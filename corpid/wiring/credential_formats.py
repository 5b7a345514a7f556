"""Which formats credentials are issued in, and by what."""

from collections.abc import Mapping

from corpid.services import credential_catalogue
from corpid.wiring.attestation import needing_attestation
from corpid.wiring.foundation import Foundation
from keys.errors import NoSigningKey
from oidc.issuer.configuration import MDOC, CredentialConfiguration
from oidc.issuer.encoders import Encoder, by_format
from oidc.issuer.mdoc import MdocEncoder
from oidc.issuer.sd_jwt_vc import SdJwtVcEncoder
from oidc.issuer.vc_jwt import VcJwtEncoder


def encoders(base: Foundation) -> Mapping[str, Encoder]:
    """The encoder of each format."""
    return by_format(
        SdJwtVcEncoder(base.settings.issuer, base.random),
        MdocEncoder(base.random),
        VcJwtEncoder(base.settings.issuer),
    )


class WorkingConfigurations(dict[str, CredentialConfiguration]):
    """The configurations that work: mdocs need a document signer's certificate (`corpid pki`).

    What endpoints hold is this table itself: ``refresh`` after the keys were changed reaches all.
    Making it raises ConfigurationError where a setting names a configuration that does not exist.
    """

    def __init__(self, base: Foundation) -> None:
        super().__init__()
        self._base = base
        every = credential_catalogue.configurations(base.settings.vct_url)
        self._every = needing_attestation(base.settings, every)
        self.refresh()

    def refresh(self) -> None:
        """Find out again which do."""
        mdocs = _signs_mdocs(self._base)
        now = {name: one for name, one in self._every.items() if mdocs or one.format != MDOC}
        self.clear()
        self.update(now)


def _signs_mdocs(base: Foundation) -> bool:
    try:
        return bool(base.rings.signer(MdocEncoder.purpose, MdocEncoder.alg).x5c)
    except NoSigningKey:  # a database that was made before there was such a ring
        return False
