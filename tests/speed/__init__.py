"""Speeds, each beside what it is compared with, in one run: `make speed`, or `python -m tests.speed rollouts`."""
