"""The link to Explore says exactly what it shall show, whatever the labels hold."""

from urllib.parse import parse_qs, urlsplit

import orjson
import promql_parser
import pytest

from driftband.grafana.explore import explore_link, narrowed, of_edge, with_band

HOSTILE = 'a"} or vector(1) # \\ \n <b>&x=y</b> ☃'


@pytest.mark.parametrize("value", ["cart", HOSTILE])
def test_a_link_opens_the_series_with_its_band(value: str) -> None:
    labels = (("service", value), ("with.dot", "x"))
    link = explore_link(
        "http://grafana.example/sub", with_band("latency", labels), 1_700_000_000_000, 1_700_003_600_000
    )
    parts = urlsplit(link)
    assert (parts.netloc, parts.path) == ("grafana.example", "/sub/explore")
    query = parse_qs(parts.query, strict_parsing=True)
    assert query.keys() == {"schemaVersion", "orgId", "panes"}
    (pane,) = orjson.loads(query["panes"][0]).values()
    assert pane["range"] == {"from": "1700000000000", "to": "1700003600000"}
    assert [q["refId"] for q in pane["queries"]] == ["A", "B", "C", "D"]
    for one in pane["queries"]:
        assert one["datasource"] == {"type": "prometheus", "uid": "driftband"}
        selector = promql_parser.parse(one["expr"])
        assert isinstance(selector, promql_parser.VectorSelector)
        found = {m.name: m.value for m in selector.matchers.matchers}
        assert found == {"signal": "latency", "service": value}
    names = [promql_parser.parse(q["expr"]).name for q in pane["queries"]]
    assert names == ["driftband_actual", "driftband_upper", "driftband_expected", "driftband_lower"]


@pytest.mark.parametrize("value", ["cart", "$1", HOSTILE])
def test_any_query_can_be_narrowed_to_the_series_of_some_labels(value: str) -> None:
    (expr,) = narrowed("a or b # both", (("namespace", "shop"), ("service", value), ("with.dot", "x")))
    tree = promql_parser.parse(expr)
    assert isinstance(tree, promql_parser.BinaryExpr)
    assert isinstance(tree.lhs, promql_parser.ParenExpr)
    assert tree.rhs.args[2].val == value.replace("$", "$$")
    assert narrowed("a", ()) == ["a"]


@pytest.mark.parametrize("value", ["cart", HOSTILE])
def test_an_edge_is_looked_at_in_the_graph(value: str) -> None:
    (expr,) = of_edge((("client", "web"), ("server", value)))
    selector = promql_parser.parse(expr)
    assert isinstance(selector, promql_parser.VectorSelector)
    assert {m.name: m.value for m in selector.matchers.matchers} == {"source": "web", "target": value}
