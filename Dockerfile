# A slim image that runs as an ordinary user. Content is baked in; mount a folder over
# /app/intents and /app/responses to serve your own. `.ci/image` follows these steps.
FROM python:3.11-slim-bookworm AS packages
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements.lock

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WEB_HOST=0.0.0.0 \
    VAR_DIR=/var/lib/baclofen-bot
RUN useradd --system --uid 10001 --home-dir /var/lib/baclofen-bot --create-home bot
WORKDIR /app
COPY --from=packages /venv /venv
COPY intents intents
COPY responses responses
COPY bot bot
# The readers are trained while the image is built, so that it starts at once.
RUN python -m bot train --into /app/trained && chown -R bot /var/lib/baclofen-bot
ENV TRAINED_DIR=/app/trained
USER 10001
VOLUME /var/lib/baclofen-bot
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["python", "-m", "bot", "run"]
