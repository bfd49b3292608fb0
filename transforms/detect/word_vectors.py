"""The vectors that the tagger and the parser read, as spaCy's small model makes them, some four times as fast.

The same weights and the same sums. What is saved: a word's own vector is made once and kept, the layers above it are
laid out for one large product of matrices each, and numpy's BLAS makes those, on one thread: a worker has one core, and
a second thread would burn as much again in waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

Doc = Any  # spaCy's and thinc's stubs do not know what is read of them here
Model = Any
Floats = npt.NDArray[np.float32]
Key = tuple[int, ...]  # what the model hashes of a word
NAME = "trucewatch_vectors"
_KNOWN_WORDS = 50_000  # vectors kept: 20 MB; a stream never ends
_ROWS = 1_000  # words read in one go, unless one text has more: what a core's cache holds
_EPSILON = 1e-8
_SAMPLE = "Syria's army said on Monday it hadn't broken the truce.\n\nIt did."


class _Layer:
    """One layer: a word and its two neighbours, three pieces of which the largest counts, normalised."""

    def __init__(self, layer: Model) -> None:
        maxout = next(node for node in layer.walk() if node.name == "maxout")
        norm = next(node for node in layer.walk() if node.name == "layernorm")
        weights, bias = maxout.get_param("W"), maxout.get_param("b")
        self.width, self.pieces, fan_in = weights.shape
        # Piece by piece rather than word by word: the largest is then taken of whole blocks.
        self.weights = np.ascontiguousarray(weights.transpose(1, 0, 2).reshape(self.pieces * self.width, fan_in).T)
        self.bias = np.ascontiguousarray(bias.T.reshape(-1))
        self.gain, self.shift = norm.get_param("G"), norm.get_param("b")

    def __call__(self, rows: Floats) -> Floats:
        """Return what the layer adds to `rows`."""
        width = self.width
        around = np.zeros((len(rows), 3 * width), dtype=np.float32)
        around[1:, :width] = rows[:-1]
        around[:, width : 2 * width] = rows
        around[:-1, 2 * width :] = rows[1:]
        told = around @ self.weights
        told += self.bias
        out: Floats = told[:, :width].copy()
        for piece in range(1, self.pieces):
            np.maximum(out, told[:, piece * width : (piece + 1) * width], out=out)
        out -= out.mean(axis=1, keepdims=True)
        spread = np.einsum("ij,ij->i", out, out) / width + np.float32(_EPSILON)
        out *= (1.0 / np.sqrt(spread))[:, None]
        out *= self.gain
        out += self.shift
        return out


class _Known(NamedTuple):
    """The words' own vectors made so far; a full one is left as it is and another begun."""

    rows: dict[Key, int]
    vectors: Floats


class WordVectors:
    """Makes the vectors of documents; made from the model's own layers."""

    def __init__(self, model: Model) -> None:
        """Take the layers of a model of hashed words and a stack of windows.

        Raises:
            ValueError: The model is built otherwise.
        """
        embed, encode = model.layers
        extract, _, hashed, mixed, _ = embed.layers
        self._columns = list(extract.attrs["columns"])
        self._embedding = (hashed, mixed)
        self._pad = int(encode.attrs["pad"])
        self._layers = [_Layer(layer) for layer in encode.layers[0].layers]
        self._width = self._layers[0].width
        self._known = _Known({}, np.zeros((_KNOWN_WORDS, self._width), dtype=np.float32))
        self._lock = threading.Lock()
        self._blas = ThreadpoolController()

    def __call__(self, docs: Sequence[Doc]) -> list[Floats]:
        """Return the vectors of each document, a row for each of its words."""
        with self._blas.limit(limits=1, user_api="blas"):
            return self._all(docs)

    def _all(self, docs: Sequence[Doc]) -> list[Floats]:
        if not docs:
            return []
        owns = np.split(self._own(docs), np.cumsum([len(doc) for doc in docs])[:-1])
        out: list[Floats] = []
        group: list[Floats] = []
        size = 0
        for own in owns:
            if group and size + len(own) > _ROWS:
                out += self._in_context(group)
                group, size = [], 0
            group.append(own)
            size += len(own)
        return out + self._in_context(group)

    def _own(self, docs: Sequence[Doc]) -> Floats:
        """Return the words' own vectors, those of all documents in one: the same wherever a word stands."""
        width = len(self._columns)
        features = np.concatenate([doc.to_array(self._columns).reshape(len(doc), width) for doc in docs])
        keys = list(map(tuple, features.tolist()))
        known = self._known
        if missing := {key: at for at, key in enumerate(keys) if key not in known.rows}:
            known = self._learn(list(missing), features[list(missing.values())])
        rows = [known.rows.get(key, -1) for key in keys]
        # The store was full and begun anew in between: then all are made for this once.
        return self._made(features) if -1 in rows else known.vectors[rows]

    def _learn(self, keys: Sequence[Key], features: npt.NDArray[np.uint64]) -> _Known:
        """Keep the vectors of further words; returns where they are kept."""
        made = self._made(features)
        with self._lock:
            known = self._known
            if len(known.rows) + len(keys) > _KNOWN_WORDS:
                known = self._known = _Known({}, np.zeros((_KNOWN_WORDS, self._width), dtype=np.float32))
            for key, vector in zip(keys[:_KNOWN_WORDS], made, strict=False):
                if key not in known.rows:
                    row = len(known.rows)
                    known.vectors[row] = vector
                    known.rows[key] = row
        return known

    def _made(self, features: Any) -> Floats:
        from thinc.types import Ragged

        lengths: Any = np.asarray([len(features)], dtype="i")
        rows: Any = Ragged(features, lengths)
        for layer in self._embedding:
            rows = layer.predict(rows)
        made: Floats = rows.data
        return made

    def _in_context(self, group: Sequence[Floats]) -> list[Floats]:
        """Run the layers over several documents, parted by so many rows that none reaches another."""
        if not group:
            return []
        starts: list[int] = []
        at = self._pad
        for own in group:
            starts.append(at)
            at += len(own) + self._pad
        rows: Floats = np.zeros((at, self._width), dtype=np.float32)
        for start, own in zip(starts, group, strict=True):
            rows[start : start + len(own)] = own
        for layer in self._layers:
            rows += layer(rows)
        return [rows[start : start + len(own)].copy() for start, own in zip(starts, group, strict=True)]


def quicken(nlp: Any) -> None:
    """Let a pipeline make its vectors this way, where its model is built so and gives the same; else leave it."""
    from thinc.api import Model as NewModel

    component = nlp.get_pipe("tok2vec")
    try:
        vectors = WordVectors(component.model)
        sample = [nlp.make_doc(_SAMPLE), nlp.make_doc("Truce"), nlp.make_doc("")]
        same = all(
            np.allclose(one, other, atol=1e-4)
            for one, other in zip(vectors(sample), component.model.predict(sample), strict=True)
        )
    except (ValueError, KeyError, AttributeError, StopIteration):
        return
    if same:
        component.model = NewModel(
            NAME,
            lambda model, docs, is_train: (vectors(docs), lambda gradient: gradient),
            dims={"nO": component.model.get_dim("nO")},
        )
