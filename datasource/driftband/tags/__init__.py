"""What puts the metadata of infrastructure as code into telemetry: pure renderings, one form a file."""
