"""What the Dockerfile says, for places without Docker: the build context, and the steps of a stage.

context.py CHECKOUT FOLDER          copy what .dockerignore lets in
context.py --steps STAGE DOCKERFILE print the stage's RUN commands, each ended by a zero byte
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction of a Dockerfile, with the stage it belongs to."""

    stage: str
    word: str
    text: str


def instructions(dockerfile: str) -> list[Instruction]:
    """Return the instructions, lines joined, each with the name (or base) of its stage."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", "", "\n".join(lines))
    stage = ""
    found = []
    for line in joined.splitlines():
        word, _, text = line.strip().partition(" ")
        if not word:
            continue
        if word.upper() == "FROM":
            base, _, name = text.partition(" AS ")
            stage = name.strip() or base.strip()
        found.append(Instruction(stage=stage, word=word.upper(), text=text.strip()))
    return found


def ignored(path: str, patterns: list[str]) -> bool:
    """Tell whether .dockerignore leaves `path` out: the last pattern that fits it, or a folder above it, decides."""
    parts = path.split("/")
    prefixes = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
    out = False
    for pattern in patterns:
        bare = pattern.removeprefix("!").strip("/")
        if any(_fits(prefix, bare) for prefix in prefixes):
            out = not pattern.startswith("!")
    return out


def _fits(path: str, pattern: str) -> bool:
    regex = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.fullmatch(regex, path) is not None


def patterns_of(text: str) -> list[str]:
    """Return the patterns of a .dockerignore."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def copy_context(checkout: Path, folder: Path) -> list[str]:
    """Copy into `folder` what Docker would be sent; return the paths."""
    patterns = patterns_of((checkout / "deploy/docker/Dockerfile.dockerignore").read_text("utf-8"))
    tops = {pattern.removeprefix("!").split("/")[0] for pattern in patterns if pattern.startswith("!")}
    copied = []
    for top in sorted(tops):
        base = checkout / top
        for file in sorted(base.rglob("*")) if base.is_dir() else [base]:
            path = file.relative_to(checkout).as_posix()
            if file.is_file() and not ignored(path, patterns):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, folder / path)
                copied.append(path)
    return copied


def main() -> int:
    if sys.argv[1] == "--steps":
        stage, file = sys.argv[2:4]
        for step in instructions(Path(file).read_text("utf-8")):
            if (step.stage, step.word) == (stage, "RUN"):
                sys.stdout.write(step.text + "\0")
        return 0
    checkout, folder = (Path(argument) for argument in sys.argv[1:3])
    sys.stderr.write(f"{len(copy_context(checkout, folder))} files in the build context\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
