"""Which formats credentials are issued in, and by what."""

from collections.abc import Mapping

from corpid.services import credential_catalogue
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


def configurations(base: Foundation) -> dict[str, CredentialConfiguration]:
    """The configurations that work: mdocs need a document signer's certificate (`corpid pki`)."""
    every = credential_catalogue.configurations(base.settings.vct_url)
    if _signs_mdocs(base):
        return every
    return {name: one for name, one in every.items() if one.format != MDOC}


def _signs_mdocs(base: Foundation) -> bool:
    try:
        return bool(base.rings.signer(MdocEncoder.purpose, MdocEncoder.alg).x5c)
    except NoSigningKey:  # a database that was made before there was such a ring
        return False
