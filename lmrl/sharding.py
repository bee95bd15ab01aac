"""One model cut among processes, for models whose training one GPU cannot hold (PyTorch's `fully_shard`, FSDP2).

Each process keeps a part of the weights, of their gradients and of the optimiser's state. A block is gathered where a
step first needs it, and its gradient is cut as soon as it is known. No algorithm needs to know.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lightning.pytorch import LightningModule
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer
from torch.utils._pytree import tree_map


def cut(algo: LightningModule) -> None:
    """Cut every block of every model in it, frozen ones too, and then what is left, in place."""
    mesh = init_device_mesh(algo.device.type, (distributed.get_world_size(),))
    lists = [module for module in algo.modules() if isinstance(module, nn.ModuleList)]
    for block in [block for blocks in reversed(lists) for block in blocks]:
        # what a step has gathered it keeps to its end, so that one process alone may use it again
        fully_shard(block, mesh=mesh, reshard_after_forward=False)
    root = fully_shard(algo, mesh=mesh, reshard_after_forward=False)
    for part in _parts(algo):  # itself, to no effect; the default depends on what this process has called before
        part.set_modules_to_backward_prefetch([part])
    root._get_fsdp_state()._lazy_init()  # else a block that plays before the first step would take itself for all
    register_fsdp_forward_method(algo, "training_step")


def uncut(tree: Any) -> Any:
    """Its tensors whole, in the memory of the first process; every process must ask."""

    def on_first(x: Any) -> Any:
        if not isinstance(x, DTensor):
            return x
        full = x.full_tensor()
        return full.cpu() if distributed.get_rank() == 0 else full.new_empty(0)

    return tree_map(on_first, tree)


def _parts(module: nn.Module) -> list[FSDPModule]:
    return [part for part in module.modules() if isinstance(part, FSDPModule)]


@contextmanager
def gathered(module: nn.Module) -> Iterator[None]:
    """All of a cut module in every process, which may then call it each in its own way; another one is whole anyhow."""
    try:
        for part in _parts(module):
            part.unshard()
        yield
    finally:
        for part in _parts(module):
            part.reshard()


class Sharded(DDPStrategy):
    """Data parallelism with a cut model. Its checkpoints are those of a run in one process."""

    def configure_ddp(self) -> None:
        assert self.lightning_module is not None
        cut(self.lightning_module)

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        assert self.lightning_module is not None
        for buffer in self.lightning_module.buffers():  # as DDP does
            distributed.broadcast(buffer, 0)
        return super().training_step(*args, **kwargs)

    def lightning_module_state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = uncut(super().lightning_module_state_dict())
        return state

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        state: dict[str, Any] = uncut(super().optimizer_state(optimizer))
        return state

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        for optimizer, saved in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            params = [p for group in optimizer.param_groups for p in group["params"]]
            cut_state = {number: _like(params[number], state) for number, state in saved["state"].items()}
            optimizer.load_state_dict(saved | {"state": cut_state})

    def teardown(self) -> None:
        """As Lightning's own for cut models: all stays on its device, where its parts can still be gathered."""
        assert self.cluster_environment is not None
        assert self.accelerator is not None
        self.cluster_environment.teardown()
        self.precision_plugin.teardown()
        self.accelerator.teardown()


def _like(param: DTensor, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An optimiser's whole state of one parameter, cut as the parameter is."""
    return {
        name: x
        if x.shape != param.shape
        else distribute_tensor(x.to(param.device), param.device_mesh, param.placements, src_data_rank=None)
        for name, x in state.items()
    }
