"""Publishing a definition as an immutable version of its study."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from trials.amendment import broken_promises
from trials.checker import Loaded
from trials.definition import FormDef, ItemDef, StudyDef, definition_of
from trials.models import ItemColumn, Study, StudyVersion


@dataclass(frozen=True)
class Publication:
    """`is_new` is false when the very same content had been published before: nothing was written then."""

    version: StudyVersion
    is_new: bool


@transaction.atomic
def publish_version(*, loaded: Loaded, by: User | None) -> Publication:
    """Make a definition without errors a version of its study; the first one makes the study (planned, in test mode).

    Raises NotAllowedNow when the number was used for other content or lies below a published one: a version is
    what data were entered under, so it never changes. The same when it takes away or alters the meaning of anything
    that an earlier version asked.
    """
    study = _study_of(loaded.study, by)
    number = loaded.study.version
    known = study.versions.filter(number=number).first()
    if known and known.sha256 == loaded.sha256:
        return Publication(known, is_new=False)
    _check_number(study, number)
    _check_promises(study, loaded.study)
    with change_set(study=study, by=by, action="trials.publish_version", reason=f"version {number}"):
        _follow(study, loaded.study)
        version = StudyVersion.objects.create(
            study=study,
            number=number,
            definition=loaded.document,
            sha256=loaded.sha256,
            source_files=dict(loaded.files),
            published_by=by,
        )
        ItemColumn.objects.bulk_create(_item_columns(version, loaded.study))
    return Publication(version, is_new=True)


def _study_of(definition: StudyDef, by: User | None) -> Study:
    """The study's row, locked; made when it is new."""
    if not Study.objects.filter(oid=definition.oid).exists():
        with change_set(study=None, by=by, action="trials.create_study"):
            Study.objects.create(oid=definition.oid, title=definition.title.en, timezone=definition.timezone)
    return Study.objects.select_for_update(no_key=True).get(oid=definition.oid)


def _check_number(study: Study, number: int) -> None:
    newest = max(study.versions.values_list("number", flat=True), default=0)
    if number <= newest:
        raise NotAllowedNow(
            _("Version %(newest)s is published and never changes. Give the new content version %(next)s.")
            % {"newest": newest, "next": newest + 1}
        )


def _check_promises(study: Study, definition: StudyDef) -> None:
    """Every version that data may have been entered under must be able to be read by the new one."""
    broken = [one for version in study.versions.all() for one in broken_promises(definition_of(version), definition)]
    if broken:
        raise NotAllowedNow(" ".join(dict.fromkeys(broken)))


def _follow(study: Study, definition: StudyDef) -> None:
    """The study's own row says what its newest version says."""
    if (study.title, study.timezone) != (definition.title.en, definition.timezone):
        study.title, study.timezone = definition.title.en, definition.timezone
        study.save(update_fields=["title", "timezone"])


def _item_columns(version: StudyVersion, definition: StudyDef) -> Iterator[ItemColumn]:
    for form in definition.forms:
        for item in form.items:
            yield _item_column(version, definition, form, item)


def _item_column(version: StudyVersion, definition: StudyDef, form: FormDef, item: ItemDef) -> ItemColumn:
    codes = definition.codes_of(item)
    return ItemColumn(
        version=version,
        form_oid=form.oid,
        item_oid=item.oid,
        kind=item.kind,
        length=item.length,
        decimals=item.decimals,
        min=item.min,
        max=item.max,
        codes=list(codes.codes) if codes else None,
        missing_codes=list(item.all_missing_codes),
        reveals_arm=item.reveals_arm,
    )
