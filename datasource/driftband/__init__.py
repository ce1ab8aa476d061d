"""driftband: what is declared, what runs and how it behaves, side by side, for Grafana."""
