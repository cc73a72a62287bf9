#!/bin/sh
# The self-check in pallsoft/wsgi.py ends this with a sentence when the ground is not safe.
exec gunicorn pallsoft.wsgi --bind 0.0.0.0:8000 --workers 4 --worker-tmp-dir /dev/shm \
    --no-control-socket --graceful-timeout 20 --max-requests 5000 --max-requests-jitter 500
