# Two stages: the first builds the wheel with locked tools, the second has no tools left.
FROM python:3.13-slim AS build
WORKDIR /source
COPY deploy/build.lock deploy/requirements.lock deploy/
RUN python -m venv /build \
 && /build/bin/pip install --no-cache-dir --require-hashes -r deploy/build.lock \
 && python -m venv /srv/corpid \
 && /srv/corpid/bin/pip install --no-cache-dir --require-hashes -r deploy/requirements.lock
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY alembic alembic
COPY keys keys
COPY oidc oidc
COPY corpid corpid
RUN /build/bin/python -m build --no-isolation --wheel --outdir /wheel . \
 && /srv/corpid/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl \
 && /srv/corpid/bin/pip check \
 && /srv/corpid/bin/pip uninstall --yes pip

FROM python:3.13-slim
COPY --from=build /srv/corpid /srv/corpid
ENV PATH=/srv/corpid/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    CORPID_HOST=0.0.0.0 CORPID_PORT=8000
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "corpid.web"]
