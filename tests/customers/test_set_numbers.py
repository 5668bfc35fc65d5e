"""How much of a search and of an import is looked at, shown and kept: to change one of these is a decision."""

from datetime import date

import pytest

from customers import consents, identifiers, legal_entities, personal_details
from customers.addresses import addresses
from customers.enrichment import enrichment, phones
from customers.models import TEXT_MAX_LENGTH
from customers.postal_codes import formats, geonames_files, geonames_table, localities
from customers.search import finding, lookups, vocabulary
from customers.spelling import emails, search_words


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        # a search
        (finding.PAGE, 50),
        (finding.COUNTED, 1000),
        (finding.CANDIDATES, 1000),
        (finding.KEY_DIGITS, 19),
        (lookups.SAMPLE, 200),
        (lookups.RARE, 1),
        (lookups.PIECES, 7),
        (vocabulary.MOST, 1000),
        (vocabulary.NEWEST, 100),
        (search_words.LONGEST_TYPED, 200),
        (search_words.COUNTRY_CODE_LENGTHS, (1, 2, 3)),
        (search_words.SHORTEST_INTERNATIONAL, 7),
        # what is typed
        (TEXT_MAX_LENGTH, 255),
        (emails.LONGEST_INPUT, 1000),
        (emails.LOCAL_MAX_LENGTH, 64),
        (emails.DOMAINS_KEPT, 2048),
        (enrichment.LONGEST_TYPED, 16),
        (phones.MAX_LENGTH, 64),
        # postal codes
        (formats.MAX_LENGTH, 20),
        (localities.MAX_PLACES, 500),
        (geonames_files.LONGEST_LINE, 4096),
        (geonames_table.COLUMNS, 12),
        (geonames_table.BATCH, 20_000),
        # what else is noticed
        (addresses.ID_BYTES, 5),
        (legal_entities.ID_BYTES, 12),
        (consents.SALT_BYTES, 16),
        (identifiers.MAX_NAMES, 50),
        (personal_details.SEX_MAX_LENGTH, 16),
        (personal_details.EARLIEST_BIRTH, date(1900, 1, 1)),
    ],
)
def test_a_number_that_is_set(number: object, expected: object) -> None:
    assert number == expected
