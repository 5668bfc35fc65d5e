"""The contract's bodies for a failure, and for what was created."""

from typing import Annotated, Literal

from msgspec import Meta

from tenants.api.records import Record


class FaultDetail(Record):
    errorcode: str


class FaultBody(Record):
    faultstring: str
    detail: FaultDetail


class GatewayFault(Record):
    """The token or the credentials were not accepted."""

    fault: FaultBody


class Forbidden(Record):
    """The token is valid, but does not allow this."""

    type: Literal["Forbidden"]
    status: Literal[403]
    message: str


class ErrorDetail(Record):
    """One field at fault, by its path in the body."""

    field: str
    type: str
    message: str


class ErrorMessage(Record):
    """Every other failure."""

    status: Annotated[int, Meta(ge=400, le=599)]
    type: Annotated[str, Meta(pattern="^[a-z]+(_[a-z]+)*$")]
    message: str
    details: list[ErrorDetail] | None = None


class ResourceLocation(Record):
    """Where to find what was created."""

    id: str
