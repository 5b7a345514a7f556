"""A relying party installs no server: the package imports without any of its packages."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys

ALLOWED = {"corpid", "keys", "oidc", "cryptography", "orjson", "cbor2", "_cffi_backend"} | set(
    sys.stdlib_module_names
)


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ImportError(f"{name} is not for relying parties")


sys.meta_path.insert(0, Blocker())
import corpid.relying_party
import corpid.relying_party.errors

ours = sorted(
    name for name in sys.modules
    if name.partition(".")[0] in {"corpid", "oidc"}
    and not name.startswith(("corpid.relying_party", "corpid.domain", "oidc.formats"))
    and name not in {"corpid", "corpid.version", "oidc"}
)
print(ours)
"""


def test_relying_party_imports_without_server_packages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]", "only formats and the domain come along"
