"""What the keys of the root configs take that nothing is built from: `_target_` names the class that says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lmrl.kinds import Count, Mode, Natural, NotNegative


@dataclass(frozen=True, kw_only=True)
class Training:
    """`conf/train.yaml`."""

    task: Any
    algo: Any
    data: Any
    model: Any
    trainer: Any
    init: Any
    evaluation: Any
    hardware: Any
    tracking: Any
    seed: Natural
    policy: Mode
    cache: str
    workers: Count
    upload_checkpoint: bool
    observation_weight: NotNegative = 0.0
    simulator: Any = None
    collapse: Any = None


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A training's `evaluation`."""

    times: Natural
    episodes: Count
    final_episodes: Count
    first_seed: Natural
    transcripts: Natural


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """A training's `hardware`."""

    threads: Count
    attention: Literal["eager", "sdpa"]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """`conf/evaluate.yaml`."""

    ckpt: str
    policy: Mode
    task: Mapping[str, Any]
    algo: Mapping[str, Any]
    evaluation: Any
    hardware: Any
    tracking: Any
    cache: str
    workers: Count
    simulator: Any = None


@dataclass(frozen=True, kw_only=True)
class FinalProtocol:
    """The `evaluation` of `lmrl-eval`."""

    final_episodes: Count | None
    first_seed: Natural
    transcripts: Natural


@dataclass(frozen=True, kw_only=True)
class Player:
    """The `hardware` of `lmrl-eval`."""

    threads: Count
    attention: Literal["eager", "sdpa"]
    device: str


@dataclass(frozen=True, kw_only=True)
class Play:
    """`conf/play.yaml`."""

    task: Any
    tracking: Any
    games: Count
    first_seed: Natural | None
    cache: str
    workers: Count
    simulator: Any = None


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """`conf/prepare.yaml`."""

    task: Any
    cache: str
    workers: Count
    export: str | None
    simulator: Any = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """`conf/report.yaml`."""

    tracking: Any
    study: str | None
    against: str | None
    changes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """`conf/fidelity.yaml`."""

    task: Any
    tracking: Any
    questions: Count
    seed: Natural
    cache: str
    workers: Count
    simulator: Any = None
