"""Publishing a definition as an immutable version of its study."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from trials.amendment import broken_promises
from trials.checker import Loaded, check_document
from trials.definition import FormDef, ItemDef, StudyDef, definition_of
from trials.models import ItemColumn, Study, StudyVersion
from trials.packs import FOLDER, Pack, faults_of, pack_of, worded


@dataclass(frozen=True)
class Publication:
    """`is_new` is false when the very same content had been published before: nothing was written then."""

    version: StudyVersion
    is_new: bool


@transaction.atomic
def publish_version(*, loaded: Loaded, by: User | None) -> Publication:
    """Make a definition without errors a version of its study; the first one makes the study (planned, in test mode).

    The instrument packs of the version before stay with the study. Raises NotAllowedNow when the number was used for
    other content or lies below a published one: a version is what data were entered under, so it never changes. The
    same when it takes away or alters the meaning of anything that an earlier version asked, or a pack fits no more.
    """
    study = _study_of(loaded.study, by)
    number = loaded.study.version
    known = study.versions.filter(number=number).first()
    if known and known.sha256 == loaded.sha256:
        return Publication(known, is_new=False)
    loaded = _with_packs(loaded, study)
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


@transaction.atomic
def load_packs(*, study: Study, packs: Sequence[Pack], by: User | None) -> Publication:
    """Publish the newest version of a study once more, in the words of these packs, under the next number.

    Sites go on with the version that they use until they approve this one. Nothing is written when it says all this
    already. Raises NotAllowedNow with everything that does not fit.
    """
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    newest = study.versions.latest("number")
    document: dict[str, Any] = newest.definition
    for pack in packs:
        document = _worded(document, pack)
    if document == newest.definition:
        return Publication(newest, is_new=False)
    document["version"] = str(newest.number + 1)
    files = newest.source_files | {pack.name: pack.text for pack in packs}
    return publish_version(loaded=check_document(document, files), by=by)


def _with_packs(loaded: Loaded, study: Study) -> Loaded:
    """With the packs of the newest version that the new one does not bring itself."""
    newest = study.versions.order_by("-number").first()
    kept = {name: text for name, text in (newest.source_files if newest else {}).items() if name.startswith(FOLDER)}
    kept = {name: text for name, text in kept.items() if name not in loaded.files}
    document: dict[str, Any] = dict(loaded.document)
    for name, text in kept.items():
        pack, _problems = pack_of(text, name)
        assert pack is not None  # it was read when it was loaded
        document = _worded(document, pack)
    return check_document(document, {**loaded.files, **kept}) if kept else loaded


def _worded(document: dict[str, Any], pack: Pack) -> dict[str, Any]:
    faults = faults_of(pack, document)
    if faults:
        raise NotAllowedNow("\n".join(str(fault) for fault in faults))
    return worded(document, pack)


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
