#!/bin/sh
# Makes blocks of the sample world once, then runs Prometheus on them. DRIFTBAND_READ_TOKEN: with it driftband is scraped.
set -eu
(umask 077 && printf %s "$DRIFTBAND_READ_TOKEN" >/tmp/driftband.token)
data=/prometheus
if [ ! -e "$data/.backfilled" ]; then
    for day in /world/*.om; do
        promtool tsdb create-blocks-from --max-block-duration=24h openmetrics --quiet "$day" "$data"
    done
    touch "$data/.backfilled"
fi
exec prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path="$data" \
    --storage.tsdb.retention.time=60d
