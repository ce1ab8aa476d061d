"""The kinds of panels that the dashboards are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders.bargauge import Panel as Bars
from grafana_foundation_sdk.builders.nodegraph import Panel as Graph
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as PagedTimeline
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Lines
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from driftband.grafana.building import BLUE, ORANGE, SKY, SOURCE, VERMILION, coloured, legend, query, set_to, steps


class Timeline(PagedTimeline):
    """A state timeline without a pager, which the SDK cannot say."""

    def build(self) -> model.Panel:
        """Return the panel."""
        panel = super().build()
        panel.options.per_page = 0  # type: ignore[attr-defined]
        return panel


FILLED = {"type": common.TableCellDisplayMode.COLOR_BACKGROUND.value, "mode": "basic"}
"""A cell on its colour."""
P = TypeVar("P", Bars, Stat, Timeline, Table, Lines, Graph)
Step = tuple[float | None, str]
POINTS = 300
"""Instants of a band or score at most: over a day one each five minutes, the grid that bands are made on."""
_REF_IDS = "ABCDEFGH"
_TITLE_SIZE, _VALUE_SIZE = 14, 20
_BAND_OPACITY, _STACK_OPACITY = 15, 40


@dataclass(frozen=True, kw_only=True)
class About:
    """What a panel says of itself, and how large it is, in Grafana's grid of 24 columns.

    nothing: the words where there is no data, since that is mostly good news.
    """

    title: str
    description: str
    width: int
    height: int
    nothing: str = "No data"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table. field: a label, or ``Value``. name: its heading; without one it is there for links alone."""

    field: str
    name: str = ""
    width: int | None = None
    more: Sequence[model.DynamicConfigValue] = ()


def stat(
    about: About,
    expr: str,
    *,
    unit: str = "short",
    thresholds: Sequence[Step] = ((None, BLUE),),
    mappings: Sequence[model.ValueMap | model.RangeMap] = (),
    filled: bool = False,
) -> Stat:
    """Return one large value, of now. filled: its colour is the panel's, so that it is seen across a room."""
    mode = common.BigValueColorMode.BACKGROUND_SOLID if filled else common.BigValueColorMode.VALUE
    return (
        begun(Stat(), about)
        .unit(unit)
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(mode)
        .reduce_options(common_builder.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(steps(*thresholds))
        .mappings(list(mappings))
        .with_target(query(expr).instant())
    )


def bars(about: About, exprs: Mapping[str, str], *, thresholds: Sequence[Step] = ((None, BLUE),)) -> Bars:
    """Return horizontal bars of now, one for each series; ``exprs`` by their legend."""
    panel = (
        begun(Bars(), about)
        .unit("short")
        .min(0)
        .decimals(0)
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .show_unfilled(show_unfilled=False)
        .text(common_builder.VizTextDisplayOptions().title_size(_TITLE_SIZE).value_size(_VALUE_SIZE))
        .reduce_options(common_builder.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(steps(*thresholds))
    )
    for ref_id, (name, expr) in zip(_REF_IDS, exprs.items(), strict=False):
        panel.with_target(query(expr, name, ref_id).instant())
    return panel


def lines(
    about: About,
    exprs: Mapping[str, str],
    *,
    unit: str = "short",
    stacked: bool = False,
    colours: Mapping[str, str] | None = None,
) -> Lines:
    """Return lines over time; ``exprs`` by their legend, ``colours`` by the name of the series."""
    panel = (
        begun(Lines(), about)
        .unit(unit)
        .line_width(1 if stacked else 2)
        .fill_opacity(_STACK_OPACITY if stacked else 0)
        .show_points(common.VisibilityMode.NEVER)
        .legend(legend())
        .tooltip(common_builder.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    )
    for ref_id, (name, expr) in zip(_REF_IDS, exprs.items(), strict=False):
        panel.with_target(query(expr, name, ref_id).range())
    if stacked:
        panel.min(0).decimals(0).line_interpolation(common.LineInterpolation.STEP_AFTER)
        panel.stacking(common_builder.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    for name, colour in (colours or {}).items():
        panel.override_by_name(name, [coloured(colour)])
    return panel


def band(about: About, exprs: Mapping[str, str], *, unit: str = "short") -> Lines:
    """Return a value with its band. The series are named actual, lower, expected and upper, and are one of each.

    A filled band finds its lower edge by that name.
    """
    panel = lines(about, exprs, unit=unit, colours={"actual": BLUE}).max_data_points(POINTS)
    for name, properties in edges(SKY, ORANGE).items():
        panel.override_by_name(name, list(properties))
    return panel


def edges(shade: str, middle: str) -> dict[str, tuple[model.DynamicConfigValue, ...]]:
    """Return how a band is drawn, by the names of its sides: shaded between its edges, dashed where it is expected."""
    return {
        "lower": (coloured(shade), set_to("custom.lineWidth", 0)),
        "expected": (coloured(middle), set_to("custom.lineStyle", {"dash": [6, 6], "fill": "dash"})),
        "upper": (
            coloured(shade),
            set_to("custom.fillBelowTo", "lower"),
            set_to("custom.fillOpacity", _BAND_OPACITY),
            set_to("custom.lineWidth", 0),
        ),
    }


def scores(about: About, exprs: Mapping[str, str]) -> Lines:
    """Return lines of scores, with the edges of the band dashed."""
    panel = lines(about, exprs, unit="none").decimals(2).axis_soft_min(-2).axis_soft_max(2)
    panel.thresholds(steps((None, BLUE), (-1, VERMILION), (1, VERMILION)))
    style = common_builder.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds_style(style).max_data_points(POINTS)


def signal_band(selector: str) -> dict[str, str]:
    """Return the expression of a signal's band by its legend; selector: the matchers that leave one of its series.

    One query for all four: each is a request of its own, of which asking takes longer than answering.
    """
    sides = ("actual", "lower", "expected", "upper")
    each = (f'label_replace(driftband_{side}{{{selector}}}, "band", "{side}", "", "")' for side in sides)
    return {"{{band}}": " or ".join(each)}


def timeline(about: About, exprs: Mapping[str, str], mappings: Sequence[model.ValueMap]) -> Timeline:
    """Return states over time, a row for each series; mappings: what each value is called, and its colour."""
    panel = (
        begun(Timeline(), about)
        .mappings(list(mappings))
        .show_value(common.VisibilityMode.AUTO)
        .merge_values(merge_values=True)
        .row_height(0.8)
        .fill_opacity(100)
        .line_width(0)
        .legend(legend())
        .tooltip(common_builder.VizTooltipOptions().mode(common.TooltipDisplayMode.SINGLE))
    )
    for ref_id, (name, expr) in zip(_REF_IDS, exprs.items(), strict=False):
        panel.with_target(query(expr, name, ref_id).range())
    return panel


def table(
    about: About,
    expr: str | Mapping[str, str],
    columns: Sequence[Column],
    *,
    sort: str,
    descending: bool = False,
    by: str = "",
) -> Table:
    """Return the series of now as rows. sort: the heading of the column that they are in order of.

    Of several queries, by their ids, the values are ``Value #id``; they are joined ``by`` a label.
    """
    exprs = {"A": expr} if isinstance(expr, str) else expr
    panel = begun(Table(), about)
    for ref_id, one in exprs.items():
        panel.with_target(query(one, "", ref_id).instant().format(PromQueryFormat.TABLE))
    if by:
        panel.with_transformation(
            model.DataTransformerConfig(id_val="joinByField", options={"byField": by, "mode": "outer"})
        )
    panel.with_transformation(chosen(columns)).with_transformation(named(columns))
    panel.sort_by([common_builder.TableSortByFieldState().display_name(sort).desc(desc=descending)])
    # What a row lacks is not what is missing in all of the table.
    panel.override_by_regexp(".*", [set_to("noValue", "-")])
    for column in columns:
        properties = [*column.more]
        if column.width is not None:
            properties.append(set_to("custom.width", column.width))
        if not column.name:
            properties.append(set_to("custom.hideFrom.viz", value=True))
        if properties:
            panel.override_by_name(column.name or column.field, properties)
    return panel


def states(**named: tuple[float, str]) -> model.ValueMap:
    """Return the mapping of values to words: ``word=(value, colour)``."""
    options = {
        f"{value:g}": model.ValueMappingResult(text=word.replace("_", " "), color=colour, index=place)
        for place, (word, (value, colour)) in enumerate(named.items())
    }
    return model.ValueMap(options=options)


def words(colours: Mapping[str, str]) -> tuple[model.DynamicConfigValue, ...]:
    """Return what draws the words of a column on their colours: as text some are too pale for a light page."""
    listed = {word: {"color": colour, "index": place} for place, (word, colour) in enumerate(colours.items())}
    return (
        set_to("custom.cellOptions", FILLED),
        set_to("mappings", [{"type": "value", "options": listed}]),
    )


def wrapped() -> tuple[model.DynamicConfigValue, ...]:
    """Return what lets long words go on in the next line of a cell."""
    return (set_to("custom.wrapText", value=True),)


def links(*listed: Mapping[str, object]) -> model.DynamicConfigValue:
    """Return what makes a column's cells links."""
    return set_to("links", [dict(one) for one in listed])


def ago() -> tuple[model.DynamicConfigValue, ...]:
    """Return what shows a column of epoch ms as the time since then."""
    return (set_to("unit", "dateTimeFromNow"), set_to("custom.align", "left"))


def begun(panel: P, about: About) -> P:
    """Return the panel with what is said about it."""
    return (
        panel.title(about.title)
        .description(about.description)
        .datasource(SOURCE)
        .span(about.width)
        .height(about.height)
        .no_value(about.nothing)
    )


def chosen(columns: Sequence[Column]) -> model.DataTransformerConfig:
    """Return what leaves the columns and no others."""
    names = [column.field for column in columns]
    return model.DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": names}})


def named(columns: Sequence[Column]) -> model.DataTransformerConfig:
    """Return what puts the columns in order and gives them their headings."""
    return model.DataTransformerConfig(
        id_val="organize",
        options={
            "indexByName": {column.field: place for place, column in enumerate(columns)},
            "renameByName": {column.field: column.name for column in columns if column.name},
        },
    )
