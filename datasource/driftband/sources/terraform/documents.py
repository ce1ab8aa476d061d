"""The documents as Terraform and OpenTofu write them. What is not named here is never made; values stay bytes until asked.

Who decodes into one of these keeps a decoder that was made when the module was imported: ``msgspec.json.decode`` with a type
prepares a struct at its first use, and a process in which two threads do so at once crashes (msgspec 0.22).
"""

from typing import Any

from msgspec import Raw, Struct, field

NULL = Raw(b"null")


class Change(Struct, gc=False):
    """What changes of a resource. before_sensitive and after_sensitive: masks."""

    actions: list[str] = []
    before: Raw = NULL
    after: Raw = NULL
    after_unknown: Raw = NULL
    before_sensitive: Raw = NULL
    after_sensitive: Raw = NULL


class ResourceChange(Struct, gc=False):
    """An item of ``resource_drift`` and of ``resource_changes``. deposed: the key of an object to be replaced."""

    address: str = ""
    previous_address: str | None = None
    mode: str = "managed"
    type: str = ""
    provider_name: str = ""
    deposed: str | None = None
    change: Change = field(default_factory=Change)


class StateResource(Struct, gc=False):
    """A resource of a state."""

    address: str = ""
    mode: str = "managed"
    type: str = ""
    provider_name: str = ""
    deposed_key: str | None = None
    values: Raw = NULL
    sensitive_values: Raw = NULL


class StateModule(Struct, gc=False):
    """A module of a state."""

    resources: list[StateResource] = []
    child_modules: list["StateModule"] = []


class Output(Struct, gc=False):
    """An output's value."""

    sensitive: bool = False
    value: Raw = NULL


class OutputChange(Struct, gc=False):
    """What changes of an output."""

    before: Raw = NULL
    after: Raw = NULL
    before_sensitive: Raw = NULL
    after_sensitive: Raw = NULL


class Outputs(Struct, gc=False):
    """The outputs of ``planned_values``."""

    outputs: dict[str, Output] | None = None


class StateValues(Struct, gc=False):
    """The values of a state."""

    outputs: dict[str, Output] | None = None
    root_module: StateModule | None = None


class State(Struct, gc=False):
    """``show -json`` of a state, and ``prior_state``."""

    format_version: str = ""
    terraform_version: str = ""
    values: StateValues | None = None


class Variable(Struct, gc=False):
    """A variable's value."""

    value: Raw = NULL


class ConfiguredVariable(Struct, gc=False):
    """A variable's declaration."""

    sensitive: bool = False
    default: Raw = NULL


class ConfiguredOutput(Struct, gc=False):
    """An output's declaration."""

    sensitive: bool = False


class Call(Struct, gc=False):
    """A call of a module."""

    source: str = ""
    version_constraint: str = ""
    module: "ConfiguredModule | None" = None


class ConfiguredModule(Struct, gc=False):
    """A module's configuration."""

    variables: dict[str, ConfiguredVariable] | None = None
    outputs: dict[str, ConfiguredOutput] | None = None
    module_calls: dict[str, Call] | None = None


class ProviderConfig(Struct, gc=False):
    """A provider as configured."""

    full_name: str = ""


class Configuration(Struct, gc=False):
    """The configuration part of a plan."""

    provider_config: dict[str, ProviderConfig] | None = None
    root_module: ConfiguredModule | None = None


class ProviderSchema(Struct, gc=False):
    """The schemas of a provider's resources."""

    resource_schemas: dict[str, Raw] = {}


class ProviderSchemas(Struct, gc=False):
    """``providers schema -json``."""

    provider_schemas: dict[str, ProviderSchema] | None = None


class Plan(Struct, gc=False):
    """``show -json`` of a plan; ``provider_schemas`` is ours, in the form of ``providers schema -json``."""

    format_version: str = ""
    terraform_version: str = ""
    variables: dict[str, Variable] | None = None
    planned_values: Outputs | None = None
    resource_drift: list[ResourceChange] | None = None
    resource_changes: list[ResourceChange] | None = None
    output_changes: dict[str, OutputChange] | None = None
    prior_state: State | None = None
    configuration: Configuration | None = None
    provider_schemas: Raw = NULL
    timestamp: str | None = None
    applyable: bool | None = None
    complete: bool | None = None
    errored: bool | None = None


class Instance(Struct, gc=False):
    """An instance of a resource in ``state pull``. index_key: text, number or absent; attributes_flat: of old states."""

    index_key: str | int | float | None = None
    deposed: str | None = None
    attributes: Raw = NULL
    sensitive_attributes: Any = None


class PulledResource(Struct, gc=False):
    """A resource of ``state pull``."""

    module: str = ""
    mode: str = "managed"
    type: str = ""
    name: str = ""
    provider: str = ""
    instances: list[Instance] = []


class Pulled(Struct, gc=False):
    """``state pull``."""

    version: int = 0
    terraform_version: str = ""
    lineage: str = ""
    serial: int | None = None
    outputs: dict[str, Output] | None = None
    resources: list[PulledResource] | None = None
