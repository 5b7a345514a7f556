"""Makes the two secrets that compose.yaml mounts; run once, before the first start.

A secret that exists is left alone: a new master key would make everything sealed under the old
one unreadable. The folder is for its owner only; the files inside are readable because the
containers, which get them mounted one by one, run as users without rights.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "secrets"
# Both are 32 random bytes in base64url without padding, which is the form of a master key.
SECRETS = ("master_key", "database_password")


def main() -> int:
    """Write what is missing and say so."""
    FOLDER.mkdir(exist_ok=True)
    FOLDER.chmod(0o700)
    for name in SECRETS:
        path = FOLDER / name
        if path.exists():
            print(f"{path.name}: exists, left as it is")
            continue
        path.write_text(secrets.token_urlsafe(32))
        path.chmod(0o444)
        print(f"{path.name}: made. Keep a copy in a safe place.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
