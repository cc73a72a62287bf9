"""Celery shells: three lines each, ids only."""

from uuid import UUID

from celery import shared_task

from crf.exports import holding, jobs
from crf.reminders import planner
from crf.services import off_plan


@shared_task(name="crf.make_export")
def make_export(job_id: str) -> None:
    jobs.run_export(UUID(job_id))


@shared_task(name="crf.sweep_exports")
def sweep_exports() -> None:
    """Make what still waits because the broker or a worker was away, and delete what an erasure left on the disk."""
    for job_id in jobs.waiting():
        jobs.run_export(job_id)
    holding.delete_erased()


@shared_task(name="crf.plan_reminders")
def plan_reminders() -> int:
    return planner.plan_reminders()


@shared_task(name="crf.propose_off_plan")
def propose_off_plan() -> int:
    return off_plan.propose_off_plan()
