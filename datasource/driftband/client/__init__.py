"""What runs in CI: the client of driftband's own HTTP API, and what a CI tells of the job that it runs in."""
