"""What of a config decides a run's weights: by it a run is found again, and runs of other seeds are its like."""

import hashlib
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

PARTS = ("task", "data", "model", "algo", "trainer", "seed")
"""The nodes of a config that decide a run's weights."""
NO_MATTER = ("log_every_n_steps", "enable_progress_bar")
"""Settings of the trainer that change no weight."""
PLACES = ("cache", "workers", "path")
"""Where data lies and who makes it change no episode."""
LATER: dict[str, dict[str, Any]] = {
    "algo": {"prefix": "", "masked": True, "kl_measure": "k3"},
    "data": {"pool": 1},
    "model": {"rows": None},
}
"""Options that came later, at what was done before: where they stand so, a run is the one that it was without them."""


def decisive(cfg: DictConfig) -> dict[str, Any]:
    """The parts of a config that decide a run's weights, resolved."""
    whole = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(whole, dict)
    parts: dict[str, Any] = {key: whole[key] for key in PARTS}
    for place in PLACES:
        parts["task"]["data"].pop(place, None)
    parts["trainer"] = {k: v for k, v in parts["trainer"].items() if k not in NO_MATTER}
    for node, options in LATER.items():
        parts[node] = {k: v for k, v in parts[node].items() if k not in options or v != options[k]}
    return parts


def algo_name(algo: str, data: str) -> str:
    """An algorithm by its file, given the dotted names of algorithm and data.

    Online filtered BC is filtered BC on other data.

    >>> algo_name("lmrl.algos.filtered_bc.FilteredBC", "lmrl.data.OnlineData")
    'online_filtered_bc'
    """
    kind = algo.split(".")[-2]
    return f"online_{kind}" if kind == "filtered_bc" and "Online" in data else kind


def setting(params: Mapping[str, str]) -> str:
    """Twelve hex digits that runs have in common which differ by their seed alone, given their flat parameters.

    What a run begins from is named by the settings of its cloning; data of the user's, by their path.

    >>> one, other = {"algo.gamma": "1", "seed": "1", "task.data.cache": "a"}, {"algo.gamma": "1", "data.pool": "1"}
    >>> setting(one) == setting(other), setting(one) == setting({"algo.gamma": "0.9"})
    (True, False)
    """
    decide = {key: value for key, value in params.items() if _decides(key, value)}
    return hashlib.sha256(repr(sorted(decide.items())).encode()).hexdigest()[:12]


def _decides(key: str, value: str) -> bool:
    top, last = key.split(".")[0], key.split(".")[-1]
    later = LATER.get(top, {}) if key == f"{top}.{last}" else {}
    return (
        top in (*PARTS, "init")
        and key not in ("seed", "init.ckpt")
        and last not in (*NO_MATTER, "cache", "workers")
        and not (last in later and value == str(later[last]))
    )
