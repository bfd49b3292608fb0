"""Write alert.schema.json and alert.proto beside this file (or, with --check, fail where one is out of date)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from transforms.sinks.proto import alert_proto
from transforms.sinks.schema import alert_schema

FOLDER = Path(__file__).parent


def contents() -> dict[str, str]:
    return {
        "alert.schema.json": json.dumps(alert_schema(), indent=2, ensure_ascii=False) + "\n",
        "alert.proto": alert_proto(),
    }


def main() -> int:
    stale = 0
    for name, fresh in contents().items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == fresh:
            continue
        if "--check" in sys.argv[1:]:
            sys.stderr.write(f"{name} is out of date; run: python deploy/schema/generate.py\n")
            stale = 1
        else:
            path.write_text(fresh, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
