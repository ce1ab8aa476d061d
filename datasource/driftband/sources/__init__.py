"""Where metrics come in: Prometheus and its kin, the sample world, and files to replay."""
