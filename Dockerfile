FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/driftband
WORKDIR /src
COPY requirements.lock .
RUN /opt/driftband/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY datasource datasource
RUN /opt/driftband/bin/pip install --no-deps .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/driftband --create-home driftband
COPY --from=build /opt/driftband /opt/driftband
COPY docker/backfill.py docker/world.py docker/evidence.py docker/healthy.py /opt/driftband/docker/
ENV PATH=/opt/driftband/bin:$PATH PYTHONUNBUFFERED=1
USER driftband
WORKDIR /var/lib/driftband
EXPOSE 8088
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "/opt/driftband/docker/healthy.py"]
ENTRYPOINT ["driftband"]
CMD ["serve"]
