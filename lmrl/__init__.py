"""Reinforcement learning for language models that act over many turns.

Importing the package registers the tasks with Gymnasium and stays light: no torch, no transformers.
"""

from lmrl.gym import register

__version__ = "0.1.0"

register()
