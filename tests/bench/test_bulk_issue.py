"""The measurement of bulk issuance still runs, on some dozen rows."""

import pytest

from bench import bulk_issue
from bench.bulk_issue import Look


async def test_it_issues_and_revokes_and_tells(capsys: pytest.CaptureFixture[str]) -> None:
    await bulk_issue.measure("sqlite", 24)
    told = capsys.readouterr().out
    for said in ("issued 24 in", "bytes a credential", "revoked 24 in", "answers)"):
        assert said in told


def test_rates_are_those_of_the_first_and_the_last_part(
    capsys: pytest.CaptureFixture[str],
) -> None:
    looks = [Look(float(n), n / 10, n * 100, 2048 * n) for n in range(1, 11)]
    bulk_issue.tell("sample", [*looks, Look(11.0, 0.0, 1000, 0)], 1000)
    told = capsys.readouterr().out
    assert "issued" not in told
    assert "1,000 in 11 s, 91 a second" in told
    assert "the last: 100 a second, 1000 µs of CPU each" in told
    assert "memory after the first: 2 MB, at most 20 MB" in told


def test_of_too_few_rows_no_rate_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    bulk_issue.tell("sample", [Look(1.0, 0.5, 3, 2048)], 3)
    assert "the first 0: too few to tell; the last: too few to tell" in capsys.readouterr().out
