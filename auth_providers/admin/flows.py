"""Flows in the back office: a flow that could not run is not stored."""

from typing import ClassVar

from django import forms
from django.contrib import admin

from auth_providers.intake import flows
from auth_providers.models import Flow
from tenants.back_office.fields import IndentedJson
from tenants.back_office.rows import TenantRowAdmin
from tenants.errors import FieldError, InvalidInput

HELP = (
    "A list of objects, done in this order. challenge stops until the customer has answered a code (channel: email or"
    " sms; without it, mail first). activate makes a customer of a prospect. assign_segment needs code, send_message"
    f" needs template ({', '.join(flows.SENDABLE)}), call_webhook needs endpoint and event."
    ' Such as [{"step": "challenge"}, {"step": "assign_segment", "code": "vip"}]'
)


class FlowForm(forms.ModelForm[Flow]):
    """A flow, whose steps are checked before they are stored."""

    class Meta:
        model = Flow
        fields: ClassVar[list[str]] = ["tenant", "name", "is_enabled", "steps"]
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"steps": IndentedJson}
        labels = {"is_enabled": "In use"}
        help_texts = {
            "name": f"How storefronts name it. {flows.PREREGISTRATION} and {flows.ACTIVATION} ship; a flow of that name"
            " takes their place, and one that is off takes them away.",
            "steps": HELP,
        }

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc] # where Django puts the entries on the instance
        if self.errors:
            return
        try:
            flows.check(tenant=self.instance.tenant, steps=self.instance.steps)
        except InvalidInput as error:
            for detail in error.details:
                self.add_error("steps", _in_words(detail))


def _in_words(detail: FieldError) -> str:
    """Which step it is about, counted from one."""
    position = detail.field.split(".")[1:2]
    return f"Step {int(position[0]) + 1}: {detail.message}" if position else detail.message


@admin.register(Flow)
class FlowAdmin(TenantRowAdmin[Flow]):
    """What is done with the data that storefronts hand in."""

    form = FlowForm
    fixed = ("name",)
    fields = ["tenant", "name", "is_enabled", "steps"]
    list_display = ["name", "is_enabled"]
    list_filter = ["is_enabled"]
    search_fields = ["name"]
