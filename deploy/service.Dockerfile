# One image per service: docker build -f deploy/service.Dockerfile --build-arg SERVICE=ranker .
# SERVICE is a lock in deploy/locks: ingest (also the log writer), feature-store, trainer, ranker, encoder.
FROM python:3.11-slim-bookworm AS build
ARG SERVICE
WORKDIR /src
RUN python -m venv /opt/eddyline
COPY deploy/locks/${SERVICE}.lock ./
RUN /opt/eddyline/bin/pip install --no-cache-dir --require-hashes -r ${SERVICE}.lock
COPY pyproject.toml README.md LICENSE ./
COPY services services
COPY libs libs
# NUMBA_CPU_NAME=generic: the kernels are compiled here and run on another processor, with the same bits.
ENV NUMBA_CPU_NAME=generic NUMBA_CACHE_DIR=/opt/eddyline/kernels
RUN /opt/eddyline/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && case "${SERVICE}" in \
         feature-store) /opt/eddyline/bin/python -P -m eddyline_features.compile;; \
         trainer) /opt/eddyline/bin/python -P -m eddyline_learning.compile;; esac

FROM python:3.11-slim-bookworm
ARG SERVICE
# LightGBM needs OpenMP.
RUN if [ "${SERVICE}" = trainer ]; then \
      apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*; fi \
    && useradd --system --uid 10001 --home-dir /var/lib/eddyline --create-home eddyline
COPY --from=build /opt/eddyline /opt/eddyline
# Numba uses a cache only where it could write one.
RUN mkdir -p /opt/eddyline/kernels && chown -R 10001 /opt/eddyline/kernels
ENV PATH=/opt/eddyline/bin:$PATH NUMBA_CPU_NAME=generic NUMBA_CACHE_DIR=/opt/eddyline/kernels \
    PYTHONUNBUFFERED=1 EDDYLINE_HOST=0.0.0.0 EDDYLINE_STATE_DIR=/var/lib/eddyline
USER 10001
WORKDIR /var/lib/eddyline
# -P: a file in the state folder must not be taken for a package.
ENTRYPOINT ["python", "-P", "-m"]
