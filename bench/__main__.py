"""`python -m bench`: measure each request beside its pure cryptography."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from bench import library, peers, report, seed
from bench.floor import FloorMeter
from bench.goals import MEMORY_TOKENS, judge
from bench.library import LibraryRow
from bench.load import Unexpected
from bench.machine import conditions, cores, pinned, resident_mb
from bench.rows import (
    Row,
    Target,
    credential_row,
    get_row,
    introspection_row,
    login_row,
    token_dpop_row,
    token_row,
    userinfo_row,
)
from bench.runner import Effort, Measured, issue_until, run_rows
from bench.server import NotStarted, free_port, running, tail

ROOT = Path(__file__).resolve().parent.parent
STANDARD = Effort()
QUICK = Effort(rounds=1, seconds=0.2, warm=20, most=200)
SERVICE = (sys.executable, "-m", "corpid.web")
_BATCH = 10_000
_WIDTH = 110


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny counts: does it still run?")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--rounds", type=int, default=STANDARD.rounds, help="rounds per row")
    parser.add_argument("--seconds", type=float, default=STANDARD.seconds, help="seconds per round")
    parser.add_argument("--only", default="", help="only these rows, comma separated")
    parser.add_argument("--no-memory", action="store_true", help="leave 100,000 tokens out")
    parser.add_argument("--no-peers", action="store_true", help="leave other servers out")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    return parser.parse_args(given)


async def _own_rows(world: seed.World, target: Target) -> list[Row]:
    lists = await world.base.store.read.status_lists.all()
    status_path = f"/status/{lists[0].list_id}"
    tokens = await world.userinfo_tokens(seed.WALLETS)
    identity = "company-identity"
    return [
        token_row(target),
        token_row(target, "token_c1", connections=1),
        token_dpop_row(target),
        credential_row(target, identity, world.credential_tokens),
        credential_row(target, identity, world.credential_tokens, keys=10),
        userinfo_row(target, tokens),
        introspection_row(target),
        get_row(target, "jwks", target.endpoints["jwks"], b'"keys"'),
        get_row(target, "status_list", status_path),
        login_row(target),
    ]


def _chosen(pairs: list[tuple[Target, Row]], only: str) -> list[tuple[Target, Row]]:
    names = {name.strip() for name in only.split(",") if name.strip()}
    return [(target, row) for target, row in pairs if not names or row.name in names]


async def _memory(
    measured: list[Measured], before_mb: float, wanted: int, console: Console
) -> dict[str, Any]:
    token = next(one for one in measured if one.row.name == "token")
    issued = sum(one.issued for one in measured)
    with console.status("") as status:
        issued = await issue_until(token, wanted, _BATCH, status.update, issued)
    after = resident_mb(token.target.pid)
    return {"tokens": issued, "before_mb": round(before_mb, 1), "after_mb": round(after, 1)}


async def _libraries(
    options: argparse.Namespace, core: int, console: Console
) -> tuple[list[LibraryRow], dict[str, list[LibraryRow]]]:
    """Our own calls, and those of others by their names."""
    ours, made = await library.sd_jwt_cases()
    with ExitStack() as stack:
        groups = {"": ours}
        if not options.no_peers:
            groups |= peers.library_cases(stack, core, made, console)
        others = await library.measure(core, groups, 20 if options.quick else 1000)
    lists = library.status_list_cases(100_000 if options.quick else 10_000_000)
    measured = await library.measure(core, {"": lists}, 5)
    return others.pop("") + measured[""], others


async def _run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    stop = asyncio.current_task()
    assert stop is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.cancel)
    effort = QUICK if options.quick else Effort(options.rounds, options.seconds)
    server_core, generator_core = cores()
    directory = seed.new_directory(options.output.parent / "bench")
    found = conditions(directory)
    found |= {"server_core": server_core, "generator_core": generator_core}
    report.show_conditions(console, found)
    port = free_port()
    settings = seed.settings_for(directory, port)
    log = directory / "server.log"
    meter = FloorMeter(server_core, calls=20 if options.quick else 200)
    async with AsyncExitStack() as stack:
        stack.enter_context(pinned(generator_core))
        world = await stack.enter_async_context(seed.world(settings))
        environment = seed.environment_of(settings)
        pid = await stack.enter_async_context(running(SERVICE, environment, port, log, server_core))
        target = await seed.target_of(world, pid)
        before_mb = resident_mb(pid)
        pairs = [(target, row) for row in await _own_rows(world, target)]
        if not options.no_peers:
            pairs += await peers.start(stack, directory, server_core, console)
        pairs = _chosen(pairs, options.only)
        try:
            with console.status("") as status:
                measured = await run_rows(pairs, effort, meter, status.update)
            own = [one for one in measured if one.target is target]
            memory = None
            if not options.no_memory and any(one.row.name == "token" for one in own):
                wanted = 200 if options.quick else MEMORY_TOKENS
                memory = await _memory(own, before_mb, wanted, console)
        except (Unexpected, OSError, TimeoutError):
            console.print(tail(log), markup=False, highlight=False)
            raise
        calls, others = await _libraries(options, server_core, console)
    floor = meter.overall()
    found |= {"verify_us": round(floor.verify_us, 1), "sign_us": round(floor.sign_us, 1)}
    rows = [report.row_of(one) for one in own]
    rows += [report.library_row_of(call, floor) for call in calls]
    theirs: dict[str, list[dict[str, Any]]] = {}
    for one in measured:
        if one.target is not target:
            theirs.setdefault(one.target.name, []).append(report.row_of(one))
    for name, more in others.items():
        theirs[name] = [report.library_row_of(call, floor) for call in more]
    return {"rows": rows, "conditions": found, "memory": memory, "peers": theirs}


def _show(console: Console, result: dict[str, Any], *, partial: bool) -> bool:
    """Print the result; True when no goal was missed."""
    console.print(
        f"P-256 on core {result['conditions']['server_core']}: verify "
        f"{result['conditions']['verify_us']} us, sign {result['conditions']['sign_us']} us"
    )
    report.show_rows(console, "Corp ID", result["rows"])
    for name, rows in result["peers"].items():
        report.show_rows(console, name, rows)
    report.show_disturbance(console, result["rows"])
    if result["memory"]:
        memory = result["memory"]
        console.print(
            f"resident memory: {memory['before_mb']} MB at start, {memory['after_mb']} MB after "
            f"{memory['tokens']:,} tokens"
        )
    if partial:
        return True
    goals = judge(result)
    report.show_goals(console, goals)
    return all(goal.met is not False for goal in goals)


def main(given: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit status."""
    options = _arguments(given)
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    try:
        result = uvloop.run(_run(options, console))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("interrupted; everything that was started has been stopped")
        return 130
    except (Unexpected, NotStarted, OSError, TimeoutError) as error:
        console.print(f"the benchmark failed: {error}", style="red", markup=False)
        return 1
    options.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    met = _show(console, result, partial=bool(options.only) or options.quick)
    console.print(f"written to {options.output}", markup=False)
    return 1 if options.strict and not met else 0


if __name__ == "__main__":
    sys.exit(main())
