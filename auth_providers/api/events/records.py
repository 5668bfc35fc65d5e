"""What the feed answers."""

from typing import Annotated, Any

from msgspec import Meta

from tenants.api.records import Moment, Record


class CloudEvent(Record):
    """CloudEvents 1.0, structured mode."""

    specversion: str
    id: Annotated[str, Meta(description="The same whenever the event is read or sent.")]
    source: str
    type: str
    subject: Annotated[str, Meta(description="The customer's number.")]
    time: Moment
    datacontenttype: str
    dataschema: Annotated[str, Meta(description="Where the schema of `data` is.")]
    data: dict[str, Any]


class Feed(Record, rename="camel"):
    events: list[CloudEvent]
    cursor: Annotated[str, Meta(description="What to ask for next as `after`.")]
    is_last: Annotated[bool, Meta(description="Whether there was nothing more.")]
