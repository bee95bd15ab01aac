"""Reports of runs that are done, by `lmrl-report` and `lmrl-benchmark`. Begin with `rows`, then `report`."""
