"""Grafana: the client for its API, and dashboards as code."""
