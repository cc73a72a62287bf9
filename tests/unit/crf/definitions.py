"""Small definitions made in code, for tests of pure functions."""

from trials.definition import parse

TEXT = {"nb": "Tekst", "en": "Text"}
YES_NO = {"kind": "yesno"}


def event(oid, kind="scheduled", forms=(), **more):
    return {"oid": oid, "kind": kind, "label": TEXT, "forms": [{"form": form} for form in forms], **more}


def item(oid, kind="integer", **more):
    anchors = {"anchors": {"low": TEXT, "high": TEXT}} if kind == "nrs" else {}
    return {"oid": oid, "kind": kind, "label": {"nb": f"Spørsmål {oid}", "en": f"Question {oid}"}, **anchors, **more}


def form(oid, items, checks=(), **more):
    group = {"oid": f"{oid}_G1", "items": items}
    return {"oid": oid, "title": TEXT, "kind": "clinic", "groups": [group], "checks": list(checks), **more}


def check(oid, violated_if, items, severity="soft"):
    return {"oid": oid, "violated_if": violated_if, "message": TEXT, "items": items, "severity": severity}


def study(events=None, forms=None):
    """A StudyDef with these visits and forms and the least of everything else."""
    forms = forms or [form("ELIG", [item("ELIG_I1", "yesno")])]
    return parse(
        {
            "oid": "T",
            "version": "1",
            "title": TEXT,
            "short_title": TEXT,
            "sponsor": "Oppdiktet sykehus",
            "target": "1",
            "subject_number": "{site}-{n:03d}",
            "arms": [{"code": "A", "label": TEXT}, {"code": "B", "label": TEXT}],
            "anchor": {},
            "consent": {
                "versions": [{"version": "1", "approved_on": "2026-01-01"}],
                "options": [{"oid": "MAIN", "label": TEXT}],
            },
            "code_lists": {},
            "eligibility": {
                "form": "ELIG",
                "criteria": [{"oid": "I1", "kind": "inclusion", "label": TEXT, "item": "ELIG_I1"}],
            },
            "events": events or [event("START", "screening", ["ELIG"])],
            "forms": forms,
        }
    )
