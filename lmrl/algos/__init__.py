"""One file an algorithm: its paper, its equations as pure functions, and a thin LightningModule."""
