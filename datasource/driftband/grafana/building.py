"""What the dashboards have in common: colours, the data source that one chooses, queries, thresholds."""

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import QueryEditorMode

# Okabe and Ito, "Color Universal Design", 2008: told apart by colour-blind people too.
BLUE, SKY, ORANGE, VERMILION, PURPLE, GREEN = "#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#CC79A7", "#009E73"
AZURE, AMBER = "#7CC7F0", "#F0B93A"
"""The sky blue and the orange for what is written on: light enough for Grafana to write in black."""
SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
LABEL_VALUES = 1
"""How Grafana numbers a variable query of this kind."""


def query(expr: str, legend_format: str = "", ref_id: str = "A") -> Dataquery:
    """Return a target in code mode: Grafana's builder mode would lose a function that it does not know."""
    return Dataquery().expr(expr).editor_mode(QueryEditorMode.CODE).legend_format(legend_format).ref_id(ref_id)


def legend() -> common_builder.VizLegendOptions:
    """Return a legend below the panel."""
    return (
        common_builder.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )


def ranked_legend() -> common_builder.VizLegendOptions:
    """Return a legend of many series beside the panel, the highest first."""
    return (
        common_builder.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.RIGHT)
        .show_legend(show_legend=True)
        .calcs(["max"])
        .sort_by("Max")
        .sort_desc(sort_desc=True)
    )


def steps(*thresholds: tuple[float | None, str]) -> build.ThresholdsConfig:
    """Return absolute thresholds: from each value on, its colour."""
    listed = [model.Threshold(value=value, color=colour) for value, colour in thresholds]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(listed)


def coloured(colour: str) -> model.DynamicConfigValue:
    """Return the override that gives a fixed colour."""
    return set_to("color", {"fixedColor": colour, "mode": "fixed"})


def set_to(key: str, value: object) -> model.DynamicConfigValue:
    """Return an override."""
    return model.DynamicConfigValue(id_val=key, value=value)
