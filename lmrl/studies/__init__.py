"""Studies: many runs that answer one question, by `lmrl-sweep`. Begin with `plan`, then `trial`."""
