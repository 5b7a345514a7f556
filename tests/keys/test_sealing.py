import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import base64url
from keys.errors import MalformedKey, SealError, WrongMasterKey
from keys.sealing import MasterKey

MASTER = MasterKey(bytes(range(32)))
OTHER = MasterKey(bytes(32))


@given(st.binary(), st.text())
def test_what_is_sealed_opens_in_its_context(plaintext, context):
    assert MASTER.open(MASTER.seal(plaintext, context), context) == plaintext


@given(st.binary(max_size=40), st.data())
def test_any_flipped_bit_keeps_the_box_shut(plaintext, data):
    sealed = bytearray(MASTER.seal(plaintext, "context"))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealError):
        MASTER.open(bytes(sealed), "context")


@given(st.binary(max_size=60))
def test_arbitrary_bytes_do_not_open(sealed):
    for box in (sealed, b"\x01" + sealed):
        with pytest.raises(SealError):
            MASTER.open(box, "context")


def test_a_box_cut_short_at_any_place_does_not_open():
    sealed = MASTER.seal(b"plaintext", "context")
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            MASTER.open(sealed[:length], "context")


def test_wrong_context_and_wrong_master_key_do_not_open():
    sealed = MASTER.seal(b"plaintext", "context")
    with pytest.raises(SealError):
        MASTER.open(sealed, "another context")
    with pytest.raises(SealError):
        OTHER.open(sealed, "context")


def test_nonces_come_from_the_random_source():
    assert MASTER.seal(b"x", "c") != MASTER.seal(b"x", "c")
    asked = []

    def random(size):
        asked.append(size)
        return b"n" * size

    assert MASTER.seal(b"x", "c", random=random)[:13] == b"\x01" + b"n" * 12
    assert MasterKey.generate(random).text() == base64url.encode(b"n" * 32)
    assert asked == [12, 32]


def test_check_value_tells_a_wrong_master_key_before_anything_is_opened():
    MASTER.check(MASTER.check_value())
    with pytest.raises(WrongMasterKey):
        OTHER.check(MASTER.check_value())
    for damaged in ("", "é", MASTER.check_value() + "A"):
        with pytest.raises(WrongMasterKey):
            MASTER.check(damaged)


def test_derived_secrets_are_stable_and_independent():
    again = MasterKey.from_text(MASTER.text())
    assert MASTER.derive("subjects") == again.derive("subjects")
    values = {MASTER.derive(label) for label in ("subjects", "nonces", "seal", "check", "")}
    values |= {OTHER.derive("subjects"), base64url.decode(MASTER.check_value())}
    assert len(values) == 7
    assert all(len(value) == 32 for value in values)


def test_derivation_and_check_value_never_change_between_releases():
    # stored data depends on them; a change here needs a migration
    assert MASTER.derive("subjects").hex() == DERIVED
    assert MASTER.check_value() == CHECK
    assert MASTER.open(bytes.fromhex(BOX), "context") == b"plaintext"


def test_from_text_ignores_white_space_around_only():
    assert MasterKey.from_text(f"\n{MASTER.text()} \n").text() == MASTER.text()
    for text in ("", "AAAA", MASTER.text() + "=", MASTER.text()[:-1], "é" * 43):
        with pytest.raises(MalformedKey):
            MasterKey.from_text(text)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(size):
    with pytest.raises(MalformedKey):
        MasterKey(bytes(size))


def test_repr_shows_no_secret():
    assert repr(MASTER) == str(MASTER) == "MasterKey(hidden)"
    assert MASTER.text() not in f"{[MASTER]}"


DERIVED = "c7354833e7d48c3a28f829012cdaa41cf2defd561931c1228d17d5780606dc26"
CHECK = "1xCeeSc_Qz0YcGAZSDP91Q8_dYm2UZtJV7DtjyEj42o"
BOX = "016e6e6e6e6e6e6e6e6e6e6e6ef72eaf317a90bb2245580ca9e20b39483b5d73f9fd922a0a76"
