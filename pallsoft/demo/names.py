"""Invented staff: no person of the trial or of any hospital. Each site has a principal investigator, a physician and a
nurse; the study has its own people.
"""

from dataclasses import dataclass

from pallsoft.accounts.models import Profession
from sites.models import Role

SITE_STAFF: dict[str, tuple[str, str, str]] = {
    "BOD": ("Ragnvald Sørfjell", "Jørgen Bærheim", "Åse Nordgård"),
    "OSL": ("Ingvild Tørresby", "Mikkel Ærlien", "Sølvi Haugård"),
    "BER": ("Torbjørn Skåtun", "Liv Øyrehagen", "Målfrid Espevær"),
    "TRO": ("Máret Skoglund", "Håvard Sætermo", "Ánte Bjørkås"),
    "TRD": ("Gunnhild Røstad", "Pål Grønvold", "Wenche Trøseid"),
    "STA": ("Åsmund Høiland", "Bjørg Sævland", "Kåre Ølberg"),
    "KRI": ("Tone Færåsen", "Øyvind Bråvann", "Gyda Søgård"),
    "DRA": ("Steinar Lågen", "Brynhild Ånerud", "Rønnaug Kjøsterud"),
    "SKI": ("Øystein Gjærum", "Kjellaug Brønnås", "Dagfinn Lårdal"),
    "GJO": ("Synnøve Vårdal", "Trygve Bøverås", "Solfrid Mjøsen"),
    "ALE": ("Jardar Giskås", "Aslaug Sunnøy", "Eldbjørg Fjørtun"),
}


@dataclass(frozen=True)
class Post:
    """One invented person of the study and the role at some sites (none named: all)."""

    username: str
    full_name: str
    role: Role
    sites: tuple[str, ...] = ()
    profession: Profession = Profession.OTHER


STUDY_STAFF = (
    Post("coordinator", "Sunniva Læret", Role.COORDINATOR),
    Post("datamanager", "Torstein Aasgård", Role.DATA_MANAGER),
    Post("monitor.north", "Hjørdis Nyvåg", Role.MONITOR, ("BOD", "TRO", "TRD")),
    Post("monitor.south", "Eivind Skjærstad", Role.MONITOR, ("OSL", "BER", "STA", "KRI")),
    Post("statistician", "Nils-Åge Bøe", Role.UNBLINDED_STATISTICIAN),
    Post("dsmb", "Valborg Grøndalen", Role.DSMB_READER),
    Post("admin", "Peder Østlund", Role.USER_ADMINISTRATOR),
    Post("inspector", "Unni Vågsæter", Role.INSPECTOR),
)


def site_posts(code: str) -> tuple[Post, Post, Post]:
    """Principal investigator, physician and nurse of a site."""
    leader, physician, nurse = SITE_STAFF[code]
    low = code.lower()
    return (
        Post(f"pi.{low}", leader, Role.PRINCIPAL_INVESTIGATOR, (code,), Profession.PHYSICIAN),
        Post(f"physician.{low}", physician, Role.INVESTIGATOR, (code,), Profession.PHYSICIAN),
        Post(f"nurse.{low}", nurse, Role.STUDY_NURSE, (code,), Profession.NURSE),
    )
