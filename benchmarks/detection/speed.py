"""Speed of the detect stage beside the plain way, spaCy on everything, in one run on one core.

Usage: python -m benchmarks.detection.speed [GOLD] [--items N]

The stream is made of unlabelled items: 3 % that pass the screen, the rest that do not.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time

from benchmarks.detection.gold import article_of, gold_folder, lines
from transforms.detect.detector import load_detector
from transforms.detect.nlp import load_model
from transforms.detect.screen import passes_screen, text_passes
from transforms.detect.settings import DetectSettings

PASSING = 0.03


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", nargs="?")
    parser.add_argument("--items", type=int, default=20_000)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    raws = [
        raw for raw in lines(gold_folder(arguments.gold) / "unlabelled_items.jsonl") if raw.get("lang", "en") == "en"
    ]
    articles = [article_of(raw) for raw in raws]
    detector = load_detector()
    detector.detect(articles[:8])
    passes = [a for a in articles if passes_screen(a)]
    others = [a for a in articles if not passes_screen(a)]
    share = int(arguments.items * PASSING)
    stream = [passes[i % len(passes)] for i in range(share)]
    stream += [others[i % len(others)] for i in range(arguments.items - share)]

    print(f"{platform.platform()}, {platform.machine()}, Python {platform.python_version()}, one core")
    whole = "\n".join(f"{a.title}\n{a.summary}" for a in others)
    pages = [whole[i : i + 2_600] for i in range(0, min(len(whole), 2_000_000), 2_600)]
    for page in pages[:2]:
        text_passes(page)
    text_passes("\u0633\u0648\u0631\u064a\u0627")  # the words of other scripts are loaded when first needed
    started = time.process_time()
    for page in pages:
        text_passes(page)
    took = time.process_time() - started
    print(f"screen            {sum(len(p.encode()) for p in pages) / 1e6 / took:8.0f} MB/s on pages of 2.6 kB")

    size = DetectSettings().batch_size
    started = time.process_time()
    kept = [a for a in stream if passes_screen(a)]
    made = sum(len(m) for i in range(0, len(kept), size) for m in detector.detect(kept[i : i + size]))
    took = time.process_time() - started
    stage = len(stream) / took
    print(f"stage             {stage:8.0f} items/s ({len(kept)} of {len(stream)} pass, {made} mentions)")

    sample = kept[:400]
    started = time.process_time()
    for i in range(0, len(sample), size):
        detector.detect(sample[i : i + size])
    print(f"passing items     {len(sample) / (time.process_time() - started):8.0f} items/s")

    plain = stream[:: max(1, len(stream) // 600)]
    nlp = load_model()
    started = time.process_time()
    for _ in nlp.pipe((f"{a.title}\n\n{a.summary}" for a in plain), batch_size=size):
        pass
    spacy_rate = len(plain) / (time.process_time() - started)
    print(f"spaCy on all      {spacy_rate:8.0f} items/s; the stage is {stage / spacy_rate:.0f} times as fast")
    print(f"peak memory       {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")


if __name__ == "__main__":
    main()
