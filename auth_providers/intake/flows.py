"""Flows: what a tenant wants done after a storefront has handed in a customer's data, step by step.

A flow is a named list of steps. `challenge` stops it until the customer has answered a code; everything between two
stops happens in one transaction, so that each step takes effect exactly once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import notices
from auth_providers.models import Flow, WebhookEndpoint
from auth_providers.models.proofs import OneTimeCode
from customers import profiles, segments
from customers.models import Customer, Segment
from tenants.clients import Client
from tenants.errors import DomainError, FieldError, InvalidInput, Kind, Reason
from tenants.models import Tenant
from tenants.outbox import queue

PREREGISTRATION, ACTIVATION = "preregistration", "activation"
MAX_STEPS = 20
NAME_MAX_LENGTH = 64  # of a flow, a segment, an endpoint, an event
# Mails that need neither a token nor a fact beyond the customer's.
SENDABLE = ("welcome", "activated")
CHANNELS = tuple(channel.value for channel in OneTimeCode.Channel)

# What exists without a row; a tenant's row of the same name takes its place.
DEFAULTS: Mapping[str, Sequence[Mapping[str, str]]] = {
    PREREGISTRATION: ({"step": "challenge"}, {"step": "send_message", "template": "welcome"}),
    ACTIVATION: ({"step": "challenge"}, {"step": "activate"}, {"step": "send_message", "template": "activated"}),
}


class UnknownFlow(DomainError):
    """The tenant has no enabled flow of this name."""

    kind = Kind.INVALID
    reason = Reason.UNKNOWN_FLOW
    default_message = "There is no such flow."


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step; `options` hold what its kind needs besides."""

    kind: str
    options: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A flow as it runs: a name and its steps."""

    name: str
    steps: tuple[Step, ...]

    @property
    def makes_prospects(self) -> bool:
        """Whether new profiles of this flow are prospects, not customers yet."""
        return self.name == PREREGISTRATION

    def as_json(self) -> list[dict[str, str]]:
        """The steps as `parse` takes them."""
        return [{"step": step.kind, **step.options} for step in self.steps]


NONE = Definition(name="", steps=())


@dataclass(frozen=True, kw_only=True)
class Run:
    """How far a run came: the kinds of the steps that are done, and, unless it is through, the position and the
    channel ("" for any) of the challenge it stands at."""

    done: tuple[str, ...]
    position: int
    is_stopped: bool = False
    channel: str = ""


def get(*, tenant: Tenant, name: str) -> Definition:
    """The tenant's flow of this name, or the one that ships; "" names the flow of no steps. Raises `UnknownFlow`."""
    if not name:
        return NONE
    row = Flow.objects.for_tenant(tenant).filter(name=name).first() if len(name) <= NAME_MAX_LENGTH else None
    steps = row.steps if row else DEFAULTS.get(name)
    if steps is None or (row and not row.is_enabled):
        raise UnknownFlow(details=(FieldError(field="flow", code="unknown", message="There is no such flow."),))
    return Definition(name=name, steps=parse(steps))


def parse(steps: object) -> tuple[Step, ...]:
    """The steps as they run. Raises one `InvalidInput` that says for each field of each step what is wrong with it."""
    if not isinstance(steps, Sequence) or isinstance(steps, str):
        raise InvalidInput.field("steps", "The steps are a list.", code="type")
    if len(steps) > MAX_STEPS:
        raise InvalidInput.field("steps", f"A flow has at most {MAX_STEPS} steps.", code="max_length")
    errors = [error for position, step in enumerate(steps) for error in _shape_errors(f"steps.{position}", step)]
    if errors:
        raise InvalidInput(details=tuple(errors))
    return tuple(
        Step(kind=step["step"], options={name: value for name, value in step.items() if name != "step"})
        for step in steps
    )


def check(*, tenant: Tenant, steps: object) -> None:
    """Raises the `InvalidInput` of `parse`, and one for every segment, endpoint or channel that the tenant lacks."""
    errors = [
        FieldError(field=f"steps.{position}.{field}", code="unknown", message=message)
        for position, step in enumerate(parse(steps))
        for field, message in _KINDS[step.kind].missing(tenant, step)
    ]
    if errors:
        raise InvalidInput(details=tuple(errors))


def run(
    *,
    tenant: Tenant,
    definition: Definition,
    customer: Customer,
    position: int = 0,
    proven_channel: str = "",
    client: Client,
) -> Run:
    """Do the steps from `position` on until a challenge stops them; the caller's transaction holds the effects.

    A challenge by the channel on which the customer has just answered one (`proven_channel`) is answered already.
    """
    done: list[str] = []
    for index in range(position, len(definition.steps)):
        step = definition.steps[index]
        if step.kind == "challenge":
            channel = step.options.get("channel", "")
            if not proven_channel or channel not in ("", proven_channel):
                return Run(done=tuple(done), position=index, is_stopped=True, channel=channel)
        else:
            _KINDS[step.kind].act(_Scene(tenant, customer, definition.name, client), step)
        done.append(step.kind)
    return Run(done=tuple(done), position=len(definition.steps))


@dataclass(frozen=True)
class _Scene:
    tenant: Tenant
    customer: Customer
    flow: str
    client: Client


@dataclass(frozen=True)
class _Kind:
    """What a step of this kind needs (`needs`) and may have (`may`), what of that its tenant lacks, and its effect."""

    act: Callable[[_Scene, Step], None]
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    missing: Callable[[Tenant, Step], Iterator[tuple[str, str]]] = lambda tenant, step: iter(())


def _shape_errors(path: str, step: object) -> Iterator[FieldError]:
    kind = step.get("step") if isinstance(step, Mapping) else None
    if not isinstance(step, Mapping) or not isinstance(kind, str) or kind not in _KINDS:
        message = f"Each step is an object whose `step` is one of: {', '.join(sorted(_KINDS))}."
        yield FieldError(field=path, code="unknown", message=message)
        return
    needs, known = _KINDS[kind].needs, {"step", *_KINDS[kind].needs, *_KINDS[kind].may}
    for name in needs:
        if name not in step:
            yield FieldError(field=f"{path}.{name}", code="required", message=f"`{kind}` needs `{name}`.")
    for name, value in step.items():
        if name not in known:
            yield FieldError(field=f"{path}.{name}", code="unknown", message=f"`{kind}` knows no `{name}`.")
        elif not isinstance(value, str) or not 0 < len(value) <= NAME_MAX_LENGTH:
            message = f"This is a text of 1 to {NAME_MAX_LENGTH} characters."
            yield FieldError(field=f"{path}.{name}", code="type", message=message)
    channel = step.get("channel")
    if isinstance(channel, str) and channel not in CHANNELS:
        message = f"A challenge comes by one of: {', '.join(CHANNELS)}."
        yield FieldError(field=f"{path}.channel", code="unknown", message=message)


def _nothing(scene: _Scene, step: Step) -> None:
    """A challenge has no effect of its own: `run` stops at it."""


def _missing_channel(tenant: Tenant, step: Step) -> Iterator[tuple[str, str]]:
    if step.options.get("channel") == OneTimeCode.Channel.SMS and not settings.SMS_URL:
        yield "channel", "No text messages are sent here: SMS_URL names no gateway."


def _activate(scene: _Scene, step: Step) -> None:
    profiles.update(
        tenant=scene.tenant,
        customer=scene.customer,
        changes={"is_activated": True, "is_prospect": False},
        client=scene.client,
    )


def _missing_segment(tenant: Tenant, step: Step) -> Iterator[tuple[str, str]]:
    if not Segment.objects.for_tenant(tenant).filter(code=step.options["code"]).exists():
        yield "code", f"This tenant has no segment `{step.options['code']}`."


def _assign_segment(scene: _Scene, step: Step) -> None:
    """A segment that staff have deleted since has no members."""
    if any(True for _ in _missing_segment(scene.tenant, step)):
        return
    segments.assign(tenant=scene.tenant, customer=scene.customer, code=step.options["code"], client=scene.client)


def _missing_template(tenant: Tenant, step: Step) -> Iterator[tuple[str, str]]:
    if step.options["template"] not in SENDABLE:
        yield "template", f"A flow can send: {', '.join(SENDABLE)}."


def _send_message(scene: _Scene, step: Step) -> None:
    """To nobody when the customer has no address at all, or one that got enough of it in the last hour."""
    template = step.options["template"]
    recipient = notices.find_message_address(tenant=scene.tenant, customer=scene.customer)
    if not recipient or template not in SENDABLE:
        return
    if not limits.has_room(tenant=scene.tenant, destination=recipient, kind=template):
        return
    queue.enqueue(
        tenant=scene.tenant,
        template=template,
        recipient=recipient,
        language=scene.customer.preferred_language,
        site=scene.customer.preferred_site,
    )


def _missing_endpoint(tenant: Tenant, step: Step) -> Iterator[tuple[str, str]]:
    if not WebhookEndpoint.objects.for_tenant(tenant).filter(name=step.options["endpoint"]).exists():
        yield "endpoint", f"This tenant has no webhook endpoint `{step.options['endpoint']}`."


def _call_webhook(scene: _Scene, step: Step) -> None:
    queue.enqueue_event(
        tenant=scene.tenant,
        endpoint_name=step.options["endpoint"],
        event=step.options["event"],
        payload={"flow": scene.flow, "customer": scene.customer.number, "at": timezone.now().isoformat()},
        customer_number=scene.customer.number,
    )


_KINDS: dict[str, _Kind] = {
    "challenge": _Kind(_nothing, may=("channel",), missing=_missing_channel),
    "activate": _Kind(_activate),
    "assign_segment": _Kind(_assign_segment, needs=("code",), missing=_missing_segment),
    "send_message": _Kind(_send_message, needs=("template",), missing=_missing_template),
    "call_webhook": _Kind(_call_webhook, needs=("endpoint", "event"), missing=_missing_endpoint),
}
