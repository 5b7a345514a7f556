"""No error but our own, whatever comes: any bytes, damaged mdocs, odd things that were signed."""

import asyncio
import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keys.errors import KeysError
from oidc.formats import mdoc
from oidc.formats.errors import FormatsError
from tests.support.mdoc_world import (
    NOW,
    Iaca,
    device,
    forged,
    issued,
    shown,
    transcript,
    verified,
)

IACA = Iaca()
SIGNER, HOLDER, TRANSCRIPT = IACA.signer(), device(), transcript()
ISSUED = asyncio.run(issued(SIGNER, HOLDER))
SAMPLES = (ISSUED, asyncio.run(shown(ISSUED, HOLDER, TRANSCRIPT)))
LEAVES = st.none() | st.booleans() | st.integers(-9, 99) | st.text(max_size=3)
NAMES = st.text(max_size=3) | st.integers(-9, 99)
ODD = st.recursive(
    LEAVES | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def judge(data: bytes) -> None:
    with contextlib.suppress(FormatsError, KeysError):
        verified(data, IACA)
    with contextlib.suppress(FormatsError, KeysError):
        for document in mdoc.parse_device_response(data):
            found = mdoc.verify(document.issuer_signed, [IACA.certificate], now=NOW, doc_type=None)
            mdoc.verify_device(document, found, TRANSCRIPT)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    judge(data)


@settings(max_examples=150)
@given(st.data())
def test_damaged_mdocs(data: st.DataObject) -> None:
    original = data.draw(st.sampled_from(SAMPLES))
    damaged = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    judge(bytes(damaged))
    judge(original[: data.draw(st.integers(0, len(original) - 1))])


@settings(max_examples=60)
@given(ODD, st.sampled_from(["valueDigests", "deviceKeyInfo", "validityInfo", "status", "docType"]))
def test_odd_members_that_a_trusted_signer_signed(value: Any, name: str) -> None:
    judge(asyncio.run(forged(SIGNER, HOLDER, security={name: value})))
    key = {"deviceKey": {1: 2, -1: 1, -2: value, -3: value}, "keyAuthorizations": value}
    judge(asyncio.run(forged(SIGNER, HOLDER, security={"deviceKeyInfo": key})))
