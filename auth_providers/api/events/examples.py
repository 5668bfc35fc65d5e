"""Examples for the contract's document."""

from tenants.api.examples import Examples
from tenants.api.problems import refusal_example

EXAMPLES = Examples(
    values={
        "tenant": "acme",
        "instance": "/tenants/acme/events",
        "Retry-After": 30,
        "after": "71204-88",
        "limit": "100",
        "cursor": "71209-91",
        "isLast": True,
        "specversion": "1.0",
        "id": "91-customer.updated",
        "source": "https://id.acme.example/tenants/acme",
        "type": "customer.updated",
        "subject": "10000001",
        "time": "2030-01-31T12:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "https://id.acme.example/docs/events/schemas/customer.updated/1.json",
        "data": {"customer": "10000001", "cause": "change_profile", "actor": "customer", "fields": ["title"]},
    },
    requests={},
    refusal=refusal_example,
    messages=("detail",),
    of_demo={"tenant": "tenant"},
)
