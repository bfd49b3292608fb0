"""Write alert.schema.json beside this file (or, with --check, fail where it is out of date)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from transforms.sinks.schema import alert_schema

TARGET = Path(__file__).with_name("alert.schema.json")


def main() -> int:
    fresh = json.dumps(alert_schema(), indent=2, ensure_ascii=False) + "\n"
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") == fresh:
            return 0
        sys.stderr.write(f"{TARGET.name} is out of date; run: python deploy/schema/generate.py\n")
        return 1
    TARGET.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
