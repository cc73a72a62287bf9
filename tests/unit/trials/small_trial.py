"""A trial of a few lines, for tests that need only forms and rules."""

from trials.definition import parse


def text(words):
    return {"nb": words, "en": words}


def item(oid, kind="integer", **more):
    return {"oid": oid, "label": text(oid), "kind": kind, **more}


def form(oid, *items, checks=(), group=None, **more):
    groups = [{"oid": f"{oid}_G", "items": list(items), **(group or {})}]
    return {"oid": oid, "title": text(oid), "kind": "clinic", "groups": groups, "checks": list(checks), **more}


def check(oid, violated_if, *items):
    return {"oid": oid, "violated_if": violated_if, "message": text(oid), "items": list(items)}


def document(*forms, **more):
    """The canonical document of a trial whose forms all stand at the event SCREEN, and at V1."""
    refs = [{"form": form["oid"]} for form in forms]
    visit = {"kind": "scheduled", "day": "7", "before": "1", "after": "1"}
    events = [
        {"oid": "SCREEN", "label": text("Screening"), "kind": "screening", "forms": refs},
        {"oid": "V1", "label": text("Visit 1"), **visit, "forms": refs},
    ]
    return {
        "oid": "SMALL",
        "version": "1",
        "title": text("A small trial"),
        "short_title": text("Small"),
        "sponsor": "Nobody",
        "target": "10",
        "subject_number": "{site}-{n:03d}",
        "arms": [{"code": "A", "label": text("A")}, {"code": "B", "label": text("B")}],
        "anchor": {},
        "consent": {
            "versions": [{"version": "1", "approved_on": "2026-01-01"}],
            "options": [{"oid": "MAIN", "label": text("Main"), "required": "true"}],
        },
        "code_lists": {
            "COLOUR": {"label": text("Colour"), "items": [{"code": c, "label": text(c)} for c in ("RED", "BLUE")]}
        },
        "eligibility": {
            "form": forms[0]["oid"],
            "criteria": [
                {
                    "oid": "I1",
                    "kind": "inclusion",
                    "label": text("I1"),
                    "computed": "true",
                    "met_if": "now.date > now.date",
                }
            ],
        },
        "events": events,
        "forms": list(forms),
        **more,
    }


def trial(*forms, **more):
    return parse(document(*forms, **more))
