"""The public intent sets: their files, their splits, and what others published on them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

NAMES = ("clinc150", "banking77", "hwu64", "banking77-oos")

# Accuracy in percent; with rejection: in-scope accuracy / out-of-scope recall.
# CLINC150 full: Larson et al., EMNLP-IJCNLP 2019, table 2. Few-shot: the leaderboard of
# jianguoz/Few-Shot-Intent-Detection. BERT on BANKING77: its model card.
PUBLISHED: dict[tuple[str, str], dict[str, str]] = {
    ("clinc150", "full"): {
        "SVM on words, threshold": "88.2 / 18.0",
        "DialogFlow, threshold": "90.8 / 26.7",
        "Rasa, threshold": "90.9 / 31.2",
        "MLP on USE, threshold": "93.4 / 49.1",
        "BERT, threshold": "96.2 / 52.3",
        "BERT, oos as an intent": "96.9 / 40.3",
    },
    ("clinc150", "10-shot"): {
        "RoBERTa + classifier": "91.55",
        "USE + ConveRT": "93.26",
        "DNNC": "93.76",
        "CPFT": "94.18",
        "ICDA": "94.84",
    },
    ("banking77", "full"): {"BERT": "93.08"},
    ("banking77", "10-shot"): {
        "RoBERTa + classifier": "84.27",
        "USE + ConveRT": "85.19",
        "DNNC": "86.71",
        "CPFT": "87.20",
        "ICDA": "89.79",
    },
    ("hwu64", "10-shot"): {
        "RoBERTa + classifier": "82.90",
        "USE + ConveRT": "85.83",
        "DNNC": "84.72",
        "CPFT": "87.13",
        "ICDA": "87.41",
    },
}


@dataclass(frozen=True)
class Labelled:
    """Texts, case folded, and their labels."""

    texts: list[str]
    labels: list[str]


@dataclass(frozen=True)
class Set:
    """One public set. `outside_*` are out-of-scope texts, where it has some."""

    train: Labelled
    few: Labelled
    validation: Labelled
    test: Labelled
    outside_validation: list[str] = field(default_factory=list)
    outside_test: dict[str, list[str]] = field(default_factory=dict)

    def without_validation(self, taught: Labelled) -> Labelled:
        """`taught` less the texts of the validation set (BANKING77's come from its train)."""
        held = set(self.validation.texts)
        kept = [
            pair for pair in zip(taught.texts, taught.labels, strict=True) if pair[0] not in held
        ]
        return Labelled([text for text, _ in kept], [label for _, label in kept])


def read_set(data: Path, name: str) -> Set:
    """The set `name` from the folder `data`, which holds a folder for each set."""
    if name == "banking77-oos":
        return _banking_with_outside(data / "banking77")
    folder = data / name
    validation = "fewshot_val" if name == "banking77" else "val"
    has_outside = (folder / "oos_val.jsonl").exists()
    return Set(
        train=_labelled(folder / "train.jsonl"),
        few=_labelled(folder / "train_10shot.jsonl"),
        validation=_labelled(folder / f"{validation}.jsonl"),
        test=_labelled(folder / "test.jsonl"),
        outside_validation=_labelled(folder / "oos_val.jsonl").texts if has_outside else [],
        outside_test={"oos": _labelled(folder / "oos_test.jsonl").texts} if has_outside else {},
    )


def _banking_with_outside(folder: Path) -> Set:
    """BANKING77-OOS: 50 intents; near outside are the other 27, far are CLINC150's."""
    train = _labelled(folder / "oos_train_inscope.jsonl")
    near = _labelled(folder / "oos_valid_idoos.jsonl").texts
    far = _labelled(folder / "oos_valid_oodoos.jsonl").texts
    return Set(
        train=train,
        few=draw(train, 10, random.Random(0)),
        validation=_labelled(folder / "oos_valid_inscope.jsonl"),
        test=_labelled(folder / "oos_test_inscope.jsonl"),
        outside_validation=near + far,
        outside_test={
            "near": _labelled(folder / "oos_test_idoos.jsonl").texts,
            "far": _labelled(folder / "oos_test_oodoos.jsonl").texts,
        },
    )


def draw(rows: Labelled, shots: int, dice: random.Random) -> Labelled:
    """`shots` texts of each label, drawn at random."""
    by_label: dict[str, list[str]] = {}
    for text, label in zip(rows.texts, rows.labels, strict=True):
        by_label.setdefault(label, []).append(text)
    drawn = [
        (text, label)
        for label in sorted(by_label)
        for text in dice.sample(by_label[label], min(shots, len(by_label[label])))
    ]
    return Labelled([text for text, _ in drawn], [label for _, label in drawn])


def _labelled(path: Path) -> Labelled:
    rows: Sequence[dict[str, str]] = [
        json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return Labelled([row["text"].casefold() for row in rows], [row["label"] for row in rows])
