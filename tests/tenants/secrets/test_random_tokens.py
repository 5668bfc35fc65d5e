"""Random tokens, and what is stored of them."""

import hashlib
import re

from tenants.secrets.random_tokens import digest, new_token


def test_tokens_are_256_bits_that_need_no_quoting_and_no_two_are_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[\w-]{43}", token, re.ASCII) for token in tokens)


def test_what_is_stored_is_the_sha_256() -> None:
    assert digest("a token") == hashlib.sha256(b"a token").digest()
    assert digest("a token") != digest("another")
