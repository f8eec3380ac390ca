# `kedro docker build` uses this file as it is; so does `docker build`.
ARG BASE_IMAGE=python:3.11-slim
FROM $BASE_IMAGE AS runtime-environment

# compiled here, since a non-root user cannot do it later
ENV PYTHONUNBUFFERED=1 UV_COMPILE_BYTECODE=1
RUN python -m pip install --no-cache-dir setuptools==84.2.1 uv==0.13.9

# the versions tested; changed source does not install them again
COPY pyproject.toml constraints.txt /tmp/
# more of pyproject.toml's extras, separated by blanks: gpu, faces, s3, gs, dask, track, notebook
ARG EXTRAS=""
RUN set -- \
    && for extra in ${EXTRAS}; do set -- "$@" --extra "${extra}"; done \
    && uv pip install --system --no-cache --requirements /tmp/pyproject.toml --constraints /tmp/constraints.txt "$@"

# kedro-docker gives the caller's ids, so that results in the mounted data folder are the caller's
ARG KEDRO_UID=999
ARG KEDRO_GID=0
RUN groupadd --force --gid ${KEDRO_GID} kedro_group \
    && useradd --no-log-init --non-unique --create-home --home-dir /home/kedro_docker --shell /bin/bash \
        --gid ${KEDRO_GID} --uid ${KEDRO_UID} kedro_docker

FROM runtime-environment

# where kedro-docker mounts data/ and conf/local/
WORKDIR /home/kedro_docker
ARG KEDRO_UID=999
ARG KEDRO_GID=0
COPY --chown=${KEDRO_UID}:${KEDRO_GID} . .
# registers the components that the parameters name
RUN uv pip install --system --no-cache --no-deps --no-build-isolation --editable .

USER ${KEDRO_UID}
CMD ["kedro", "run"]
