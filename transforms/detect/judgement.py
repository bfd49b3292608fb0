"""The judgement: linear models over named features, trained by `make model`, shipped as `model.npz`.

Only numpy is needed here. A head is a multinomial (or, with two classes, binary) logistic regression; features that a
head never saw weigh nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.detect.features import SHARED
from transforms.detect.view import Features
from transforms.failures import KnowledgeError

MODEL_FILE = "model.npz"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Head:
    """One decision.

    Attributes:
        classes: What it chooses between.
        names: Feature name to column.
        weights: Array of (classes, features); one row for two classes, speaking for the second.
        bias: One number per row of weights.
    """

    classes: tuple[str, ...]
    names: Mapping[str, int]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def probabilities(self, features: Features) -> dict[str, float]:
        """Return the probability of each class."""
        known = [(self.names[name], value) for name, value in features.items() if name in self.names]
        columns = np.fromiter((column for column, _ in known), dtype=np.int64, count=len(known))
        values = np.fromiter((value for _, value in known), dtype=np.float32, count=len(known))
        return self.by_scores(self.weights[:, columns] @ values)

    def by_scores(self, sums: npt.NDArray[np.float32]) -> dict[str, float]:
        """Return the probability of each class by the weighed sums of its features."""
        scores = sums + self.bias
        if len(self.classes) == 2:
            second = 1.0 / (1.0 + np.exp(-np.clip(scores[0], -30, 30)))
            return {self.classes[0]: float(1.0 - second), self.classes[1]: float(second)}
        shifted = np.exp(scores - scores.max())
        shifted /= shifted.sum()
        return {name: float(value) for name, value in zip(self.classes, shifted, strict=True)}

    def leading(self, features: Features, wanted: str, count: int = 6) -> list[tuple[str, float]]:
        """Return the features that spoke most for (positive) or against (negative) class `wanted`."""
        row = 0 if len(self.classes) == 2 else self.classes.index(wanted)
        sign = -1.0 if len(self.classes) == 2 and wanted == self.classes[0] else 1.0
        parts = [
            (name, sign * value * float(self.weights[row, self.names[name]]))
            for name, value in features.items()
            if name in self.names
        ]
        return sorted(parts, key=lambda part: (-abs(part[1]), part[0]))[:count]


class Weighing:
    """All heads of one language over one index of features: what several heads ask of a candidate is looked up once."""

    def __init__(self, heads: Mapping[str, Head]) -> None:
        """Lay the weights of `heads` side by side: a row for each feature, a column for each answer."""
        self._names: dict[str, int] = {}
        for head in heads.values():
            for name in head.names:
                self._names.setdefault(name, len(self._names))
        self._columns: dict[str, slice] = {}
        width = 0
        for name, head in heads.items():
            self._columns[name] = slice(width, width + len(head.bias))
            width += len(head.bias)
        self._heads = dict(heads)
        self._weights = np.zeros((len(self._names), width), dtype=np.float32)
        for name, head in heads.items():
            rows = np.fromiter((self._names[feature] for feature in head.names), dtype=np.int64, count=len(head.names))
            columns = np.fromiter(head.names.values(), dtype=np.int64, count=len(head.names))
            self._weights[rows, self._columns[name]] = head.weights[:, columns].T

    def scores(self, features: Features) -> npt.NDArray[np.float32]:
        """Return the weighed sums of all heads, without their biases."""
        names = self._names
        known = [(names[name], value) for name, value in features.items() if name in names]
        rows = [row for row, _ in known]
        values = np.array([value for _, value in known], dtype=np.float32)
        sums: npt.NDArray[np.float32] = values @ self._weights[rows] if rows else np.zeros_like(self._weights[0])
        return sums

    def answers(self, head: str, scores: npt.NDArray[np.float32]) -> dict[str, float]:
        """Return the probability of each class of a head by the sums that `scores` gave."""
        return self._heads[head].by_scores(scores[self._columns[head]])


@dataclass(frozen=True, slots=True)
class Judgement:
    """All heads, and the thresholds they are read with."""

    heads: Mapping[str, Head]
    thresholds: Mapping[str, float]
    version: str

    def head(self, name: str, lang: str) -> Head:
        """Return the head for a language: English has its own, the others share the one without words."""
        return self.heads[f"{name}@{'en' if lang == 'en' else 'any'}"]

    def heads_of(self, lang: str) -> dict[str, Head]:
        """Return all heads for a language by their names."""
        suffix = f"@{'en' if lang == 'en' else 'any'}"
        return {name.removesuffix(suffix): head for name, head in self.heads.items() if name.endswith(suffix)}


def shared_only(features: Features) -> Features:
    """Return the features that mean the same in every language."""
    return {name: value for name, value in features.items() if name[0] in SHARED}


def pack(heads: Mapping[str, Head], thresholds: Mapping[str, float]) -> bytes:
    """Return the model as the bytes of an npz file; the same model gives the same bytes."""
    meta: dict[str, Any] = {"format": FORMAT, "thresholds": dict(sorted(thresholds.items())), "heads": {}}
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name in sorted(heads):
        head = heads[name]
        order = sorted(head.names)
        columns = [head.names[feature] for feature in order]
        meta["heads"][name] = list(head.classes)
        arrays[f"{name}.names"] = np.frombuffer("\n".join(order).encode(), dtype=np.uint8)
        arrays[f"{name}.weights"] = head.weights[:, columns].astype(np.float16)
        arrays[f"{name}.bias"] = head.bias.astype(np.float32)
    arrays["meta"] = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in sorted(arrays.items()):
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            # A fixed time stamp: retraining on the same data must give the same file.
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (2020, 1, 1, 0, 0, 0)), content.getvalue(), zipfile.ZIP_DEFLATED
            )
    return buffer.getvalue()


def unpack(raw: bytes, name: str) -> Judgement:
    """Return the model packed in `raw`.

    Raises:
        KnowledgeError: The file is damaged or of another format.
    """
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as file:
            meta = json.loads(bytes(file["meta"]).decode())
            if meta.get("format") != FORMAT:
                raise KnowledgeError(
                    f"{name}: model format {meta.get('format')!r}, expected {FORMAT}; run `make model`"
                )
            heads = {
                head: Head(
                    tuple(classes),
                    {feature: i for i, feature in enumerate(bytes(file[f"{head}.names"]).decode().split("\n"))},
                    file[f"{head}.weights"].astype(np.float32),
                    file[f"{head}.bias"].astype(np.float32),
                )
                for head, classes in meta["heads"].items()
            }
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise KnowledgeError(f"{name}: not a model file ({error}); run `make model`") from error
    return Judgement(heads, meta["thresholds"], hashlib.sha256(raw).hexdigest()[:8])


@cache
def load_judgement() -> Judgement:
    """Return the model that ships with the package.

    Raises:
        KnowledgeError: It is missing or damaged.
    """
    file = resources.files("transforms.detect") / MODEL_FILE
    if not file.is_file():
        raise KnowledgeError(f"transforms/detect/{MODEL_FILE} is missing; run `make model`")
    return unpack(file.read_bytes(), f"transforms/detect/{MODEL_FILE}")


def vocabulary(rows: Sequence[Features], fewest: int) -> dict[str, int]:
    """Return a column for every feature that at least `fewest` rows have."""
    counts: dict[str, int] = {}
    for row in rows:
        for name in row:
            counts[name] = counts.get(name, 0) + 1
    kept = sorted(name for name, count in counts.items() if count >= fewest and "\n" not in name)
    return {name: i for i, name in enumerate(kept)}
