"""The HTML of the pages: no script, no build step, light and dark."""

_STYLE = """
<style>
:root { color-scheme: light dark; --ink: #1c2733; --paper: #fff; --faint: #66727f; --line: #d9dfe5; --accent: #1f60c4; --band: #1f60c4;
        --bad: #b3122a; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #d8dee6; --paper: #11161c; --faint: #93a0ae; --line: #2b3540; --accent: #6ea6ff; --band: #6ea6ff;
          --bad: #ff8095; --warn: #f0b849; }
}
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 3rem; background: var(--paper); color: var(--ink);
       font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p, li { max-width: 46rem; } .faint { color: var(--faint); } a { color: var(--accent); }
label { display: block; font-weight: 600; margin: 1rem 0 .3rem; }
textarea, input { box-sizing: border-box; width: 100%; font: 15px/1.4 ui-monospace, monospace; padding: .6rem;
                  color: inherit; background: transparent; border: 1px solid var(--faint); border-radius: 4px; }
button { margin-top: .6rem; padding: .5rem 1.2rem; font: inherit; color: var(--paper); background: var(--accent);
         border: 0; border-radius: 4px; cursor: pointer; }
code { font: 14px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.error { border-left: 4px solid #c4162a; padding: .3rem .8rem; } .warning { border-left: 4px solid #b87a00; padding: .3rem .8rem; }
figure { margin: 1.2rem 0; } figcaption { font: 14px ui-monospace, monospace; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; } svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }
.grid { stroke: var(--line); } .now { stroke: var(--faint); stroke-dasharray: 3 3; }
.band { fill: var(--band); fill-opacity: .16; }
.expected { fill: none; stroke: var(--band); stroke-width: 1.5; stroke-dasharray: 5 4; }
.actual { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: .8rem 0; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--faint); font-size: 14px; white-space: nowrap; vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; } time, .short { white-space: nowrap; }
.number + :not(.number) { padding-left: 1.5rem; } .quiet, .quiet .severity.severity { color: var(--faint); }
.severity, .status { font-size: 13px; font-weight: 600; padding: .1rem .5rem; border-radius: 1rem; border: 1px solid currentColor; }
.critical { color: #fff; background: #b3122a; border-color: #b3122a; }
.error.severity, .status.failed { color: var(--bad); padding: .1rem .5rem; border: 1px solid currentColor; }
.severity.warning, .status.drifted, .status.partial, .status.locked, .status.suspect { color: var(--warn); padding: .1rem .5rem; border: 1px solid currentColor; }
.info, .status.clean { color: var(--faint); }
</style>
"""

HEAD = (
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>"""
    + _STYLE.replace("{", "{{").replace("}", "}}")
    + """</head><body>"""
)
"""What every page begins with; a format that wants ``title``."""

START = (
    HEAD.format(title="driftband")
    + """
<header><h1>driftband</h1><p class="faint">Bands for any PromQL query; drift of Terraform, and who did it. Version {{ version }}.</p>
<nav><a href="/workspaces">Workspaces</a></nav></header>
<main>
<form method="get" action="/">
<label for="query">Query</label>
<textarea id="query" name="query" rows="3" spellcheck="false">{{ query }}</textarea>
<button type="submit">Draw it</button>
<span class="faint">the last 24 hours and the next 6, in UTC</span>
</form>
{% if error %}<p class="error" role="alert">{{ error }}</p>{% endif %}
{% for warning in warnings %}<p class="warning">{{ warning }}</p>{% endfor %}
{{ picture | safe }}
{% if picture %}<p class="faint">Solid: observed. Dashed: expected. Shaded: the band, drawn from what was known before each instant.</p>{% endif %}
{{ drift | safe }}
<h2>Add it to Grafana</h2>
<ol>
<li>Connections, Add new connection, <b>Prometheus</b>.</li>
<li>URL: <code>{{ url }}</code> as Grafana reaches it. With tokens: an HTTP header <code>Authorization</code> with
<code>Bearer &lt;read token&gt;</code>.</li>
<li>Save &amp; test. Every PromQL query works as before; in code mode <code>anomaly_band(...)</code> does too.</li>
</ol>
<h2>Functions</h2>
<ul>
<li><code>anomaly_band(v, 0.99)</code>: actual, lower, expected and upper</li>
<li><code>anomaly_score(v)</code>: 1 or more in size is outside the band</li>
<li><code>forecast(v)</code>, <code>band_upper(v)</code>, <code>band_lower(v)</code>: one of them alone</li>
<li><code>time_to_breach(v, limit)</code>: seconds until the forecast crosses the limit</li>
</ul>
</main></body></html>"""
)

SIGN_IN = (
    HEAD.format(title="driftband: sign in")
    + """<main><h1>driftband</h1>
{% if failed %}<p class="error" role="alert">This token does not allow reading.</p>{% endif %}
<form method="post" action="/sign-in">
<label for="token">Read token</label><input id="token" name="token" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button></form></main></body></html>"""
)
