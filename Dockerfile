FROM python:3.11-slim AS installed
WORKDIR /luthien
COPY requirements requirements
COPY luthien_site/__init__.py luthien_site/bootstrap.py luthien_site/
RUN python -m luthien_site.bootstrap base && rm -rf .venv-bootstrap \
    && .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash .venv

FROM python:3.11-slim
WORKDIR /luthien
RUN useradd --system --uid 10001 --home-dir /data luthien && install -d -o luthien -m 0700 /data
COPY --from=installed /luthien/.venv .venv
COPY . .
# Nobody may write here when it runs; compiling at each start would take as long as all else that a start does.
RUN python -m compileall -q --invalidation-mode unchecked-hash gateway luthien_site observability policies
ENV PATH=/luthien/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    LUTHIEN_DATA_DIR=/data LUTHIEN_LOG_FORMAT=json
USER luthien
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["python", "manage.py", "up", "--host", "0.0.0.0"]
