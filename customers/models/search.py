"""What the search keeps of all customers of a tenant together."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from tenants.models import TenantOwned
from tenants.privacy.classification import Disguise, Kept, Privacy


class SearchWord(TenantOwned):
    """A word of letters that customers of the tenant are found by. There are far fewer words than customers, so what is
    similar to a word with a typing error is looked for here. PostgreSQL keeps it (`customers.search.vocabulary`);
    elsewhere there are none. A word may be there twice, after two customers brought it in the same moment."""

    word = models.TextField()

    privacy = Privacy(kept=Kept.WHILE_IN_USE, personal={"word": Disguise.EMPTY}, is_copied=False)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "word"], name="search_word"),
            GinIndex(fields=["word"], name="search_word_similar", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return self.word
