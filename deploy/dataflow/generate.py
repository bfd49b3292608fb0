"""Write metadata.json beside this file from the template's parameters (with --check: fail where it is out of date)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipeline.template import metadata

PATH = Path(__file__).parent / "metadata.json"


def main() -> int:
    fresh = json.dumps(metadata(), indent=2) + "\n"
    if "--check" in sys.argv[1:]:
        return int(not PATH.exists() or PATH.read_text("utf-8") != fresh)
    PATH.write_text(fresh, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
