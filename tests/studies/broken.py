"""A module that takes its time, and cannot be imported."""

import time

time.sleep(2)
raise ImportError("broken")
