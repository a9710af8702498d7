"""The verbs of `hearth backup`."""

from hearth_backend.cli.verb import JSON, Verb, option

_BACKUP = option("backup", nargs="?", metavar="ID", help="its id; without it, the newest")

VERBS = (
    Verb("backup create", "copy everything that Hearth keeps, now", "hearth backup create", "backups:create", (JSON,)),
    Verb("backup list", "the backups there are, and when each goes", "hearth backup list", "backups:show", (JSON,)),
    Verb(
        "backup verify",
        "read a backup to its end, open its databases, check and count them",
        "hearth backup verify",
        "backups:verify",
        (_BACKUP, JSON),
    ),
    Verb(
        "backup restore",
        "put everything back as a backup has it; Hearth is stopped, and what is there now is moved aside",
        "hearth backup restore --from /media/disk/hearth-backups",
        "backups:restore",
        (
            _BACKUP,
            option("--from", dest="folder", metavar="FOLDER", help="a folder that backups were copied to"),
            option("--yes", action="store_true", help="do not ask"),
        ),
    ),
)
