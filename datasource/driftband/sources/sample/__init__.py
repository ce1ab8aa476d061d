"""The sample world: an on-line shop whose telemetry is made up, but the same whenever it is asked for."""
