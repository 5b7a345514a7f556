from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st

from keys import ecdsa


@given(st.sampled_from([32, 48]), st.data())
def test_both_ways_agree_with_the_library(size, data):
    # lengths are drawn apart, so that short numbers with leading zeros are frequent
    def draw():
        bits = data.draw(st.integers(0, size * 8))
        return data.draw(st.integers(0, 2**bits - 1))

    r, s = draw(), draw()
    raw = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    der = ecdsa.to_der(raw)
    assert der == encode_dss_signature(r, s)
    assert decode_dss_signature(der) == (r, s)
    assert ecdsa.from_der(der, size) == raw
