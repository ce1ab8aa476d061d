"""What is listened to: the Prometheus API, the pages, and the service's own metrics."""
