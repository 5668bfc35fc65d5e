"""The words that customers of a tenant are found by, each once: PostgreSQL keeps them up to date by triggers, as an
index is. With the index of customers by their words, they find whose name is similar to what was typed.

Only words of letters count, of as many as a similar word needs. A word goes with the last customer who has it. What two
transactions do to one word in the same moment can cost it: it is then missed where it is typed wrong, and nowhere else.
"""

from collections.abc import Sequence

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BooleanField, Func, Lookup, Q, QuerySet, TextField, Value
from django.db.models.sql.compiler import SQLCompiler

from customers.models import Customer, SearchWord
from customers.spelling import folding, search_words
from tenants.models import Tenant

MOST = 1000  # words that are compared in full
NEWEST = 100  # customers among whom a common word is found at once


class Similar(Lookup[bool]):
    """Whether two words are similar: PostgreSQL's `%`, which an index of trigrams answers."""

    lookup_name = "similar"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} %% {right}", (*left_params, *right_params)


TextField.register_lookup(Similar)


def plan_for_few(*, threshold: float) -> None:
    """Until the transaction ends: what `similar` takes for similar, and that rows are looked up in indexes of words,
    whatever the planner expects. It would read the whole table for words that it takes for common."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pg_trgm.similarity_threshold', %s, true), "
            "set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)",
            [str(threshold)],
        )


def similar(*, tenant: Tenant, words: Sequence[str]) -> set[str]:
    """The words of the tenant that are similar to one of these, after `plan_for_few`."""
    wanted = search_words.any_of(Q(word__similar=each) for each in words)
    return set(SearchWord.objects.for_tenant(tenant).filter(wanted).values_list("word", flat=True)[:MOST])


def with_any(rows: QuerySet[Customer], words: Sequence[str]) -> QuerySet[Customer]:
    """Those of the customers who have one of the words."""
    if not words:
        return rows.none()
    has_one = Func(
        Value(list(words)),
        template="customers_words(search_text) && %(expressions)s::text[]",
        output_field=BooleanField(),
    )
    return rows.filter(has_one)


# -- for migrations ---------------------------------------------------------------------------------------------------

# Every word of a customer's text stands between two spaces.
_OTHERS = rf" ([^ ]*[0-9@+][^ ]*|[^ ]{{1,{folding.TRIGRAM - 1}}}(?= ))"

_WORDS = f"""
CREATE FUNCTION customers_words(search_text text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_to_array(btrim(regexp_replace($1, '{_OTHERS}', '', 'g')), ' ')
$$;
CREATE INDEX customer_words ON customers_customer USING gin (customers_words(search_text));
"""


def _trigger(function: str, schema: str, body: str) -> str:
    """It runs as the owner of the tables: who is confined would get no index of words. It is planned while the tables
    are empty, and has to fit large ones: each word is looked up by itself, and not by its trigrams."""
    return f"""
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {schema}, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
{body}
$$;
"""


def _add(words: str) -> str:
    """Two transactions that bring one word don't wait for each other: there is no unique index."""
    return f"""
    INSERT INTO customers_searchword (tenant_id, word)
    SELECT added.tenant_id, added.word FROM ({words}) added WHERE NOT EXISTS (
        SELECT FROM customers_searchword known WHERE known.tenant_id = added.tenant_id AND known.word = added.word
    );"""


_INSERTED = f"""
BEGIN {_add("SELECT DISTINCT tenant_id, unnest(customers_words(search_text)) AS word FROM inserted")}
    RETURN NULL;
END
"""

# A common word is found among the newest customers. Two have to have it there, and who has a rare one is locked: an
# erasure of theirs may be under way.
_HAVE = f"""
CREATE FUNCTION customers_others_have(of_tenant bigint, but_for bigint, word text) RETURNS boolean LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off SET enable_bitmapscan = on SET enable_indexscan = on AS $$
BEGIN
    IF 1 < (
        SELECT count(*) FROM (
            SELECT search_text FROM customers_customer
            WHERE tenant_id = of_tenant AND id <> but_for ORDER BY id DESC LIMIT {NEWEST}
        ) newest WHERE search_text LIKE '% ' || word || ' %'
    ) THEN
        RETURN true;
    END IF;
    PERFORM set_config('enable_indexscan', 'off', true);
    PERFORM FROM customers_customer
    WHERE tenant_id = of_tenant AND id <> but_for AND customers_words(search_text) @> ARRAY[word]
    LIMIT 1 FOR SHARE SKIP LOCKED;
    RETURN FOUND;
END
$$;
"""

_CHANGED = f"""
BEGIN {_add("SELECT NEW.tenant_id, unnest(customers_words(NEW.search_text)) AS word")}
    DELETE FROM customers_searchword WHERE tenant_id = NEW.tenant_id AND word IN (
        SELECT gone.word FROM (
            SELECT unnest(customers_words(OLD.search_text)) AS word
            EXCEPT SELECT unnest(customers_words(NEW.search_text))
        ) gone WHERE NOT customers_others_have(NEW.tenant_id, NEW.id, gone.word)
    );
    RETURN NULL;
END
"""

_TRIGGERS = """
CREATE TRIGGER customers_words_inserted AFTER INSERT ON customers_customer
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION customers_words_inserted();
CREATE TRIGGER customers_words_changed AFTER UPDATE OF search_profile, search_addresses, search_identifiers
    ON customers_customer FOR EACH ROW WHEN (OLD.search_text <> NEW.search_text)
    EXECUTE FUNCTION customers_words_changed();
"""


def create(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """On PostgreSQL: the index of customers by their words, and what keeps the words."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        schema = cursor.fetchone()[0]
    schema_editor.execute(_WORDS + _HAVE, params=None)
    schema_editor.execute(_trigger("customers_words_inserted", schema, _INSERTED), params=None)
    schema_editor.execute(_trigger("customers_words_changed", schema, _CHANGED), params=None)
    schema_editor.execute(_TRIGGERS, params=None)


def drop(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """In reverse."""
    if schema_editor.connection.vendor == "postgresql":
        for name in ("words_inserted", "words_changed", "others_have", "words"):
            schema_editor.execute(f"DROP FUNCTION customers_{name} CASCADE")  # with its triggers, or its index
