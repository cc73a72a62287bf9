"""Celery shells of the trail."""

from celery import shared_task

from pallsoft.audit.anchors import anchor_now


@shared_task(name="audit.anchor_daily")
def anchor_daily() -> int:
    return anchor_now(None, "daily")
