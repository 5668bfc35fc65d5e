"""Patron's settings with a password hash that costs next to nothing: log-in and sign-up show what all else of them
costs, which of 25 milliseconds would be a small difference of large numbers."""
# ruff: noqa: F403, F405

from config.settings import *

PASSWORD_HASHERS = ["bench.cheap_hasher.CheapHasher", *PASSWORD_HASHERS[1:]]
