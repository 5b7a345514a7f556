"""Trust anchors that somebody chose, and the chains that were followed to them before."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from cryptography import x509

from keys.certificates import certified_key, read_chain, texts_of, verify_chain
from keys.jwk import PublicKey

_CACHED: Final = 256
_Name = tuple[bytes, x509.ObjectIdentifier | None]


class Certified(NamedTuple):
    """A leaf that an anchor vouches for, and its key."""

    leaf: x509.Certificate
    key: PublicKey


class _Known(NamedTuple):
    certified: Certified
    since: float
    until: float


class TrustAnchors:
    """Certificates that vouch for others (RFC 5280, 6). Without any, no chain is believed."""

    def __init__(self, anchors: Iterable[x509.Certificate]) -> None:
        self.anchors = tuple(anchors)
        self._known: OrderedDict[_Name, _Known] = OrderedDict()

    def certified(
        self, x5c: object, now: float, *, usage: x509.ObjectIdentifier | None = None
    ) -> Certified:
        """Return the leaf of a chain that leads to an anchor at ``now`` (epoch seconds).

        ``usage`` is the extended key usage that the leaf must have. The same key comes back for
        the same chain.

        Raises:
            InvalidChain: it does not, or is not a chain as it should be.
        """
        texts = texts_of(x5c)
        name = hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).digest(), usage
        known = self._known.get(name)
        if known is None or not known.since <= now <= known.until:
            known = self._followed(texts, now, usage)
            self._known[name] = known
            if len(self._known) > _CACHED:
                self._known.popitem(last=False)
        return known.certified

    def _followed(
        self, texts: Iterable[str], now: float, usage: x509.ObjectIdentifier | None
    ) -> _Known:
        chain = read_chain(tuple(texts))
        anchor = verify_chain(chain, self.anchors, now, usage=usage)
        every = (*chain, anchor)
        return _Known(
            Certified(chain[0], certified_key(chain[0])),
            since=max(one.not_valid_before_utc.timestamp() for one in every),
            until=min(one.not_valid_after_utc.timestamp() for one in every),
        )
