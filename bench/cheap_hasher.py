"""A password's hash at its least."""

from auth_providers.accounts.passwords import Argon2idHasher


class CheapHasher(Argon2idHasher):
    """argon2id with 8 KiB and one pass, some 30 microseconds."""

    time_cost = 1
    memory_cost = 8  # KiB
