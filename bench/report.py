"""The result: a document for build/bench.json and tables for the screen."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.floor import Floor
from bench.goals import Goal
from bench.library import LibraryRow
from bench.runner import Measured

_GENERATOR_FULL = 0.9
_DISTURBED = 0.1


def row_of(measured: Measured) -> dict[str, Any]:
    """A row of the document."""
    ratio, crypto = measured.ratio, measured.crypto_us
    return {
        "name": measured.row.name,
        "cpu_us": round(measured.cpu_us, 1),
        "crypto_us": None if crypto is None else round(crypto, 1),
        "ratio": None if ratio is None else round(ratio, 2),
        "rps": round(measured.median(lambda sample: sample.rps), 1),
        "p50_ms": round(measured.median(lambda sample: sample.percentile(0.5)), 3),
        "p99_ms": round(measured.median(lambda sample: sample.percentile(0.99)), 3),
        "connections": measured.row.connections,
        "requests": sum(sample.units for sample in measured.samples),
        "others_busy": round(measured.median(lambda sample: sample.others), 2),
        "generator_busy": round(measured.median(lambda sample: sample.busy), 2),
    }


def library_row_of(row: LibraryRow, floor: Floor) -> dict[str, Any]:
    """A library call as a row of the document."""
    crypto = floor.of(row.verifies, row.signs)
    return {
        "name": row.name,
        "cpu_us": round(row.cpu_us, 2),
        "crypto_us": None if crypto is None else round(crypto, 1),
        "ratio": None if crypto is None else round(row.cpu_us / crypto, 2),
        "rps": round(1000 / row.p50_ms, 1),
        "p50_ms": round(row.p50_ms, 5),
        "p99_ms": round(row.p99_ms, 5),
    }


def show_conditions(console: Console, conditions: Mapping[str, Any]) -> None:
    """What the figures depend on."""
    packages = ", ".join(f"{name} {found}" for name, found in conditions["packages"].items())
    console.print(
        f"{conditions['python']} on {conditions['cpu']}, {conditions['cores']} cores, "
        f"load {conditions['load_1m']}; {conditions['openssl']}"
    )
    console.print(packages)
    console.print(
        f"HTTP/1.1 keep-alive, 16 connections, one process on core {conditions['server_core']}, "
        f"generator on core {conditions['generator_core']}; SQLite file, synchronous=FULL, "
        f"audit on; fdatasync {conditions['fsync_ms']:.2f} ms"
    )


def show_rows(console: Console, title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """A table of rows."""
    table = Table(title=title, title_justify="left")
    table.add_column("row", min_width=21)
    for name in ("CPU us", "crypto us", "ratio", "req/s", "p50 ms", "p99 ms"):
        table.add_column(name, justify="right")
    full = False
    for row in rows:
        busy = row.get("generator_busy", 0) >= _GENERATOR_FULL
        full |= busy
        table.add_row(
            row["name"],
            f"{row['cpu_us']:,.1f}",
            "-" if row["crypto_us"] is None else f"{row['crypto_us']:.0f}",
            "-" if row["ratio"] is None else f"{row['ratio']:.2f}",
            f"{row['rps']:,.0f}" + ("*" if busy else ""),
            f"{row['p50_ms']:.2f}",
            f"{row['p99_ms']:.2f}",
        )
    console.print(table)
    if full:
        console.print("* the generator was the limit: the server can do more")


def show_disturbance(console: Console, rows: Iterable[Mapping[str, Any]]) -> None:
    """Warn when other programs worked on the server's core: then CPU figures are too high."""
    shares = [row["others_busy"] for row in rows if "others_busy" in row]
    worst = max(shares, default=0.0)
    if worst > _DISTURBED:
        console.print(
            f"[yellow]other programs used up to {worst:.0%} of the server's core during a row: "
            "the figures are higher than on a quiet machine[/]"
        )


def show_goals(console: Console, goals: Sequence[Goal]) -> None:
    """Which goals are met, and which are not."""
    words = {True: "[green]met[/]", False: "[red]missed[/]", None: "[yellow]not judged[/]"}
    for goal in goals:
        console.print(f"{words[goal.met]}  {goal.text}: {goal.value}")
