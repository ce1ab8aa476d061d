"""The words of made-up environments: services, signals, and what a change touches (path, before, after, type)."""

NAMES = """
    checkout cart pricing catalog search orders payments ledger identity sessions mailer shipping stock
    returns reviews media geo tax fraud invoices loyalty profile feed ranking export import billing quota
    scheduler audit-log gateway edge web mobile-api partner-api reports recommender wallet coupons chat
    """.split()  # noqa: SIM905 - as words they are read at a glance
"""Of services."""
INSIDE = (
    "{}_cpu_seconds",
    "{}_memory_bytes",
    "{}_restarts",
    "db_pool_connections",
    "queue_backlog",
    "container_throttling",
)
EDGE = ("{}_latency_p99", "{}_error_rate", "http_requests_rate", "http_request_duration_p95", "{}_availability")
MATTERS = (
    ("max_connections", 500, 50, "aws_db_parameter_group"),
    ("spec.replicas", 6, 2, "kubernetes_deployment"),
    ("resources.limits.memory", "2Gi", "512Mi", "kubernetes_deployment"),
    ("resources.limits.cpu", "2", "250m", "kubernetes_deployment"),
    ("timeout", 30, 3, "aws_lb_target_group"),
    ("ingress", None, None, "aws_security_group"),
    ("instance_type", "m6i.xlarge", "m6i.large", "aws_instance"),
    ("visibility_timeout", 300, 30, "aws_sqs_queue"),
)
SHOWS_IN = {
    "max_connections": "db_pool_connections", "spec.replicas": "{}_cpu_seconds", "resources.limits.memory": "{}_memory_bytes",
    "resources.limits.cpu": "{}_cpu_seconds", "visibility_timeout": "queue_backlog",
}  # fmt: skip
"""Where it is seen first, as a rule, when an attribute is wrong."""

TRIVIAL = (('tags["cost.center"]', "a", "b", "aws_instance"), ("description", "old", "new", "aws_security_group"))
