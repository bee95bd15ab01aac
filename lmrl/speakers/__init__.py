"""Language models and endpoints that speak for the other side of a dialogue, or play. Begin with `completion`."""
