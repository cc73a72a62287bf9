"""Celery shells: the sweep of each minute and the wake-up after a commit run the same relay."""

from celery import shared_task

from pallsoft.outbox import services


@shared_task(name="outbox.relay")
def relay() -> int:
    return services.send_due()
