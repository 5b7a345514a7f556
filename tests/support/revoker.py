"""A process that revokes: reads ``list_id index`` lines, writes when each had committed."""

import asyncio
import secrets
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from corpid.domain.credential import EntryStatus, StatusEntry
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore


async def main(url: str) -> None:
    database = await open_database(url)
    store = SqlStore(database, time.time, secrets.token_bytes)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        list_id, index = line.split()
        entry = StatusEntry(list_id, int(index))
        await store.write(
            lambda uow, entry=entry: uow.status_lists.set_status(entry, EntryStatus.INVALID, 1)
        )
        print(loop.time(), flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
