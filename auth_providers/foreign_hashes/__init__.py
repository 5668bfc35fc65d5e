"""Password hashes that other systems made: which there are, and how a password is compared with one.

An import stores them in Django's form, the name of a hasher in front. Those that resist guessing are compared as they
are; weak ones are hashed once more with argon2id when they are imported, so that none rests as it came. Either way the
first right log-in replaces them by a hash of our own.
"""
