"""Loading NCI's table of a version of CTCAE, once."""

from django.db import transaction
from django.utils.translation import gettext as _

from pallsoft.errors import NotAllowedNow
from trials.ctcae.file import CtcaeFile
from trials.models import CtcaeTable, CtcaeTerm


@transaction.atomic
def load_table(*, file: CtcaeFile) -> bool:
    """False when the very same file was loaded before: nothing is written then.

    Raises NotAllowedNow for other content of a version that is loaded: events were graded by it.
    """
    table, is_new = CtcaeTable.objects.get_or_create(version=file.version, defaults={"sha256": file.sha256})
    if table.sha256 != file.sha256:
        raise NotAllowedNow(
            _("CTCAE %(version)s is loaded with other content (SHA-256 %(sha256)s), and stays as it is.")
            % {"version": file.version, "sha256": table.sha256}
        )
    if is_new:
        CtcaeTerm.objects.bulk_create(
            CtcaeTerm(
                table=table,
                code=one.code,
                soc=one.soc,
                term=one.term,
                grades=list(one.grades),
                definition=one.definition,
                note=one.note,
            )
            for one in file.terms
        )
    return is_new
