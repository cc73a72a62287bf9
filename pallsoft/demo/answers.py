"""What stands on the forms of an invented patient: {item OID: canonical text} per form."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pallsoft.demo.patients import SCORES, Patient

Values = dict[str, str]
OSLO = ZoneInfo("Europe/Oslo")
MODULES = {"GI": ("QCR", "CR", 29), "URO": ("QPR", "PR", 25), "GYN": ("QCX", "CX", 24)}
ABOUT = ("WHO", "MODE", "LANG")


def yes(answer: bool) -> str:
    return "Y" if answer else "N"


def instant(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=OSLO)


def utc_text(at: datetime) -> str:
    return at.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")


def demography(patient: Patient) -> Values:
    if not patient.is_woman:
        return {}
    if not patient.is_fertile:
        return {"DM_VAG": "Y", "DM_MENO": "Y"}
    return {"DM_VAG": "Y", "DM_MENO": "N", "DM_HYST": "N", "DM_OOPH": "N"}


def cancer_history(patient: Patient) -> Values:
    draw, year = patient.draw, patient.consent_on.year
    values = {
        "CH_GROUP": patient.group,
        "CH_SITE": patient.primary,
        "CH_HIST": patient.histology,
        "CH_HISTON": f"{year - draw.randint(1, 6)}-{draw.randint(1, 12):02d}",
        "CH_STAGE": draw.choice(["LOCALADV", "METAST", "METAST"]),
        "CH_SURG": yes(draw.random() < 0.5),
        "CH_SYST": yes(draw.random() < 0.7),
        "CH_PRT": yes(draw.random() < 0.15),
    }
    if values["CH_STAGE"] == "METAST":
        values |= {f"CH_M{where}": yes(draw.random() < 0.35) for where in ("LIV", "LUNG", "BONE", "NODE", "PERI")}
    if values["CH_PRT"] == "Y":
        values |= {"CH_PRTON": str(year - 4), "CH_PRTGY": draw.choice(["46", "50", "50.4"])}
    return values


def symptoms(patient: Patient, day: date, week: int) -> Values:
    """NRS of all five; the patient answers, at home with help now and then."""
    mode = "TABLET" if week == 0 else patient.draw.choice(["LINK", "LINK", "PHONE", "PAPER"])
    who = "ALONE" if week == 0 or patient.draw.random() < 0.75 else "HELPED"
    values = {"NRS_ON": day.isoformat(), "NRS_WHO": who, "NRS_MODE": mode, "NRS_LANG": "NB"}
    values |= {"NRS_HELP": "FAMILY"} if who == "HELPED" else {}
    values |= {"NRS_INTP": "N"} if mode == "PHONE" else {}
    scores = {item: str(patient.score(symptom, week)) for symptom, item in SCORES.items()}
    if not patient.is_woman:
        del scores["NRS_VAG"]
    if patient.target == "PAIN":
        scores["NRS_PAIN24"] = str(max(int(scores["NRS_PAIN"]) - 1, 0))
    return values | scores


def quality_of_life(patient: Patient, mode: str) -> dict[str, Values]:
    """Core questionnaire, module and EQ-5D-5L: {form: values}."""
    forms = {"QLC": _questionnaire(patient, "QLC", mode, 30) | {f"QLC_{n}": _level(patient, 7) for n in (29, 30)}}
    if patient.group != "URO" or not patient.is_woman:
        form, prefix, count = MODULES[patient.group]
        forms[form] = _questionnaire(patient, prefix, mode, count)
        if form == "QCR":
            forms[form]["CR_18"] = yes(patient.draw.random() < 0.3)
            for n in (26, 27) if patient.is_woman else (28, 29):
                del forms[form][f"CR_{n}"]
    dimensions = {f"EQ_{n}": _level(patient, 5) for n in range(1, 6)}
    about = dict(zip((f"EQ_{part}" for part in ABOUT), ("ALONE", mode, "NB"), strict=True))
    forms["EQ5D"] = about | dimensions | {"EQ_VAS": str(patient.draw.randint(20, 85))}
    return forms


def _questionnaire(patient: Patient, prefix: str, mode: str, count: int) -> Values:
    about = dict(zip((f"{prefix}_{part}" for part in ABOUT), ("ALONE", mode, "NB"), strict=True))
    return about | {f"{prefix}_{n:02d}": _level(patient, 4) for n in range(1, count + 1)}


def _level(patient: Patient, top: int) -> str:
    return str(min(top, 1 + round(abs(patient.draw.gauss(0, top / 3)))))


def performance(patient: Patient, ecog: int) -> Values:
    return {"EC_ECOG": str(ecog), "EC_STOMA": yes(patient.group == "GI" and patient.others["BOWEL"] > 2)} | {
        "EC_CATH": yes(patient.group == "URO" and patient.others["URINARY"] > 3),
        "EC_NEPH": yes(patient.primary == "C67" and patient.others["PAIN"] > 2),
    }


def medication(patient: Patient, event: str, systemic: Values) -> Values:
    on_systemic = {"SY_ANY": "Y", "SY_TYPE": "CHEMO"} | systemic if systemic else {"SY_ANY": "N"}
    return {"CM_OPI": yes(patient.opioid), "CM_OTHAN": "Y", "CM_STER": yes(event == "RT")} | on_systemic


def opioid(patient: Patient, week: int) -> Values:
    """Slow morphine twice a day, less when the target symptom was pain and has eased."""
    eased = patient.target == "PAIN" and patient.responds and week >= 4
    return {
        "OPI_DRUG": "MORPHINE_PO",
        "OPI_DOSE": str(patient.morphine / (2 if eased else 1)).removesuffix(".0"),
        "OPI_N": "2",
    }


def toxicity(patient: Patient, physician: str, week: int) -> Values:
    """Mostly 0 to 2; a grade 3 now and then."""
    terms = ["DIARR", "PROCT", "RBLEE", "FINC", "OBSTR", "CYST", "HAEM", "FREQ", "UINC", "RETEN", "SKIN", "FATIG"]
    if patient.is_woman:
        terms += ["VBLEE", "VDISC", "VDRY"]
    weights = (70, 22, 7, 1) if week else (80, 15, 5, 0)
    grades = patient.draw.choices("0123", weights, k=len(terms))
    found = {f"TOX_{term}": grade for term, grade in zip(terms, grades, strict=True)}
    for term in ("TOX_FREQ", "TOX_VDISC"):
        found |= {term: min(found[term], "2")} if term in found else {}
    return {"TOX_BY": physician} | found


def laboratory(patient: Patient, day: date) -> Values:
    draw = patient.draw
    return {
        "LB_ON": day.isoformat(),
        "LB_HB": f"{draw.uniform(8.5, 14.5):.1f}",
        "LB_LEUK": f"{draw.uniform(4, 14):.1f}",
        "LB_ALB": str(draw.randint(26, 42)),
        "LB_CRP": str(draw.randint(2, 120)),
        "LB_LDH": str(draw.randint(140, 480)),
    }


def criteria(patient: Patient) -> Values:
    """Every criterion that is asked is met."""
    values = dict.fromkeys(["ELIG_I1", "ELIG_I5", "ELIG_I9", "ELIG_I11", "ELIG_I12"], "Y")
    values |= {"ELIG_I1WHY": "ADVANCED", "ELIG_I2": "PELVIS", "ELIG_I8": "NB"}
    values |= {"ELIG_I3": patient.draw.choice(["PRIMARY", "RECURRENT", "METASTATIC"])}
    values |= {f"ELIG_E{n}": "N" for n in range(1, 7)}
    return values | ({"ELIG_CONTRA": "Y", "ELIG_E7": "N"} if patient.is_fertile else {})


def since_last(event: str, new_event: bool) -> Values:
    values = {"VIS_CO": "N"}
    values |= {"VIS_AE": yes(new_event)} if event != "W24" else {}
    return values | ({"VIS_TRIAL": "N"} if event in ("W4", "W8") else {})


def pregnancy_test(first_fraction: datetime, forgotten: bool) -> Values:
    if forgotten:
        return {"PT_DONE": "N"}
    taken = first_fraction - timedelta(hours=20)
    return {"PT_DONE": "Y", "PT_TYPE": "SERUM", "PT_AT": utc_text(taken), "PT_RESULT": "NEG"}
