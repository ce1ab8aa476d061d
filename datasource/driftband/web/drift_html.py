"""The HTML of what has drifted: a section of the start page, and the page of the workspaces."""

from driftband.web.templates import HEAD

_MACROS = """
{% macro when(moment) %}<time datetime="{{ moment.isoformat() }}" title="{{ moment.strftime('%Y-%m-%d %H:%M:%S UTC') }}">
{{- age(moment) }}</time>{% endmacro %}
{% macro who(finding) %}<td class="short">{{ finding.actor or ("not known" if finding.alarming else "") }}</td>{% endmacro %}
{% macro severity(name) %}<span class="severity {{ name }}">{{ name }}</span>{% endmacro %}
{% macro count(number) %}<td class="number{{ ' faint' if not number }}">{{ number }}</td>{% endmacro %}
"""

DRIFT = (
    _MACROS
    + """
<section aria-labelledby="drift">
<h2 id="drift">Open drift</h2>
{% if missing %}<p class="warning">What has drifted is not known now: {{ missing }}.</p>
{% elif not workspaces %}<p class="faint">No workspace has reported yet. In CI: <code>driftband drift report plan.json --workspace
prod/network</code></p>
{% else %}
<div class="scroll"><table>
<thead><tr><th scope="col">Workspace</th>{% for name in severities %}<th scope="col" class="number">{{ name }}</th>{% endfor %}
<th scope="col">Last looked at whole</th></tr></thead>
<tbody>{% for w in workspaces %}<tr><th scope="row"><a href="/workspaces?workspace={{ w.name | urlencode }}">{{ w.name }}</a></th>
{% for name in severities %}{{ count(w.alarming(name)) }}{% endfor %}
<td>{% if w.whole %}{{ when(w.whole.at) }}{% else %}never{% endif %}</td></tr>{% endfor %}</tbody></table></div>
{% if worst %}<div class="scroll"><table>
<caption>The most severe</caption>
<thead><tr><th scope="col">Severity</th><th scope="col">What</th><th scope="col">Since</th><th scope="col">Who</th></tr></thead>
<tbody>{% for f in worst %}<tr><td>{{ severity(f.severity) }}</td>
<td><code>{{ f.address or f.workspace }}</code><br><span class="faint">{{ what(f) }}</span></td>
<td>{{ when(f.opened_at) }}</td>{{ who(f) }}</tr>{% endfor %}</tbody></table></div>
{% else %}<p>What is declared is what is there.</p>{% endif %}
<p><a href="/workspaces">Workspaces and all that is open</a></p>
{% endif %}
</section>
{% if changes %}<section aria-labelledby="changes">
<h2 id="changes">Last changes</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Where</th><th scope="col">Who</th></tr></thead>
<tbody>{% for c in changes %}<tr><td>{{ when(c.started_at) }}</td>
<td>{% if c.url.startswith(("http://", "https://")) %}<a href="{{ c.url }}" rel="noreferrer">{{ c.summary or c.id }}</a>
{%- else %}{{ c.summary or c.id }}{% endif %}{% if c.status != "succeeded" %} <b>{{ c.status }}</b>{% endif %}<br>
<span class="faint">{{ c.kind | replace("_", " ") }}{% if c.commit %}, <code>{{ c.commit[:12] }}</code>{% endif %}</span></td>
<td>{{ c.workspace or c.identity.get("service", "") }}</td><td class="short">{{ c.actor or "not known" }}</td></tr>{% endfor %}</tbody></table></div>
</section>{% endif %}
"""
)

WORKSPACES = (
    HEAD.format(title="driftband: workspaces")
    + _MACROS
    + """
<header><h1><a href="/">driftband</a> / workspaces</h1>
<p class="faint">What is declared in Terraform, and what is there. Times are UTC.</p></header>
<main>
{% if missing %}<p class="error" role="alert">{{ missing }}.</p>{% endif %}
{% if not workspaces and not missing %}<p>No workspace has reported yet. In CI: <code>driftband drift report plan.json --workspace
prod/network</code>, or give <code>workspaces</code> in the configuration.</p>{% endif %}
{% if workspaces %}
<div class="scroll"><table>
<thead><tr><th scope="col">Workspace</th><th scope="col">Last run</th><th scope="col">Last looked at whole</th>
{% for name in classes %}<th scope="col" class="number">{{ name | replace("_", " ") }}</th>{% endfor %}</tr></thead>
<tbody>{% for w in workspaces %}<tr>
<th scope="row"><a href="?workspace={{ w.name | urlencode }}"{% if w.name == chosen %} aria-current="true"{% endif %}>{{ w.name }}</a></th>
<td>{% if w.last %}<span class="status {{ w.last.status }}" title="{{ w.last.reason }}">{{ w.last.status }}</span> {{ when(w.last.at) }}
{% else %}none{% endif %}</td>
<td>{% if w.whole %}{{ when(w.whole.at) }}{% else %}never{% endif %}</td>
{% for name in classes %}{{ count(w.of_class(name)) }}{% endfor %}</tr>{% endfor %}</tbody></table></div>
<h2>Open findings{% if chosen %} of {{ chosen }}{% endif %}</h2>
{% if chosen %}<p><a href="/workspaces">Those of all workspaces</a></p>{% endif %}
{% if findings %}<div class="scroll"><table>
<thead><tr><th scope="col">Severity</th><th scope="col">Class</th><th scope="col">What</th><th scope="col">Since</th>
<th scope="col">Who</th></tr></thead>
<tbody>{% for f in findings %}<tr{% if not f.alarming %} class="quiet"{% endif %}><td>{{ severity(f.severity) }}</td>
<td>{{ f.class_ | replace("_", " ") }}</td>
<td>{% if not chosen %}{{ f.workspace }} {% endif %}<code>{{ f.address }}</code><br><span class="faint">{{ what(f) }}
{%- if f.class_ in explained %}<br>{{ f.reason }}{% endif %}</span></td>
<td class="short">{{ when(f.opened_at) }}{% if f.window_from and age(f.window_from) != age(f.opened_at) %}<br>
<span class="faint">not yet {{ age(f.window_from) }}</span>{% endif %}</td>{{ who(f) }}</tr>{% endfor %}</tbody></table></div>
{% if more %}<p class="faint">These are the first {{ findings | length }}; <code>GET /driftband/v1/findings</code> has all.</p>{% endif %}
{% else %}<p>Nothing is open.</p>{% endif %}
{% endif %}
</main></body></html>"""
)
