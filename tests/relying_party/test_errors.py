"""The table of errors is complete, stable and documented."""

from pathlib import Path

from corpid.relying_party import errors

ROOT = Path(__file__).parents[2]


def test_codes_are_unique_and_every_class_has_its_own_sentence() -> None:
    table = errors.table()
    assert len({one.code for one in table}) == len(table)
    assert len({one.sentence for one in table}) == len(table)
    assert all(one.sentence.endswith(".") for one in table)


def test_every_error_class_is_in_the_table() -> None:
    families = {errors.RelyingPartyError, errors.VerificationFailed, errors.Undetermined}
    classes = {
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, errors.RelyingPartyError)
    }
    assert classes - families == set(errors.table())


def test_the_document_equals_the_table() -> None:
    page = (ROOT / "docs" / "relying-party-errors.md").read_text("utf-8")
    assert page == errors.as_markdown()


def test_an_error_tells_code_sentence_and_detail() -> None:
    error = errors.ClaimInvalid("sub")
    assert (error.code, error.detail) == ("claim_invalid", "sub")
    assert str(error) == "A claim is missing or has a wrong form. (sub)"
