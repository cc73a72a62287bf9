"""Migration operations: what is regulated, what the application may do, and SQL kept in files of its own."""

from collections.abc import Sequence
from pathlib import Path

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import RunSQL
from django.db.migrations.operations.base import Operation

SQL = Path(__file__).parent / "sql"
APP = "pallsoft_app"


def sql_file(name: str, undo: str) -> RunSQL:
    """Run audit/sql/`name`; `undo` is the SQL that takes it back."""
    return RunSQL((SQL / name).read_text(encoding="utf-8"), undo)


class Grant(RunSQL):
    """Give the application's login `privileges` on a table, such as "SELECT, INSERT"; it has no other."""

    def __init__(self, table: str, privileges: str) -> None:
        super().__init__(
            f'GRANT {privileges} ON "{table}" TO {APP}',
            f'REVOKE ALL ON "{table}" FROM {APP}',
        )
        self._constructor_args: tuple[tuple[str, str], dict[str, object]] = ((table, privileges), {})


class Regulated(Operation):
    """Trail every change of a table by triggers and refuse DELETE and TRUNCATE (data_model §3, triggers 1, 2, 3, 7).

    `items`: jsonb columns trailed key by key. `insert_only`: no column but those of `write_once` changes.
    `write_once`: columns that are filled once, with the row or later; one ending in `_in` only with the present change
    set. `taken_back`: those of them that may be emptied again.
    `exclude`: columns never trailed (passwords, future arms). `reason_free`: state columns that change without a
    reason. `ends`: columns whose very filling needs one. `own_keys`: keys inside a mark that the system sets.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(
        self,
        table: str,
        *,
        items: Sequence[str] = (),
        insert_only: bool = False,
        write_once: Sequence[str] = (),
        taken_back: Sequence[str] = (),
        exclude: Sequence[str] = (),
        reason_free: Sequence[str] = (),
        ends: Sequence[str] = (),
        own_keys: Sequence[str] = (),
    ) -> None:
        self.table = table
        self.items, self.exclude = items, exclude
        self.insert_only, self.write_once, self.taken_back = insert_only, write_once, taken_back
        self.reason_free, self.ends, self.own_keys = reason_free, ends, own_keys

    def state_forwards(self, app_label: str, state: object) -> None:
        """Nothing: triggers are no part of the models' state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: object, to_state: object
    ) -> None:
        for statement in self._statements():
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: object, to_state: object
    ) -> None:
        for name in ("insert", "update", "once", "delete", "truncate"):
            schema_editor.execute(f'DROP TRIGGER IF EXISTS trail_{name} ON "{self.table}"', params=None)
        schema_editor.execute(f"DELETE FROM audit.regulated WHERE tbl = '{self.table}'", params=None)

    def describe(self) -> str:
        return f"Trail every change of {self.table}"

    def _statements(self) -> list[str]:
        statements = [
            "INSERT INTO audit.regulated (tbl, parts, excluded) "
            f"VALUES ('{self.table}', '{_array(self.items)}', '{_array(self.exclude)}')",
            self._trigger("insert", "AFTER INSERT", "NEW TABLE AS new_rows", "record_insert", *self._recorded()[:2]),
            self._trigger(
                "update",
                "AFTER UPDATE",
                "OLD TABLE AS old_rows NEW TABLE AS new_rows",
                "record_update",
                *self._recorded(),
            ),
            self._trigger("delete", "BEFORE DELETE", "", "refuse"),
            self._trigger("truncate", "BEFORE TRUNCATE", "", "refuse"),
        ]
        if self.insert_only or self.write_once:
            statements.append(self._once())
        return statements

    def _recorded(self) -> list[str]:
        return [_array(columns) for columns in (self.items, self.exclude, self.reason_free, self.ends, self.own_keys)]

    def _trigger(self, name: str, event: str, rows: str, function: str, *arguments: str) -> str:
        referencing = f"REFERENCING {rows}" if rows else ""
        given = ", ".join(f"'{argument}'" for argument in arguments)
        return (
            f'CREATE TRIGGER trail_{name} {event} ON "{self.table}" {referencing} '
            f"FOR EACH STATEMENT EXECUTE FUNCTION audit.{function}({given})"
        )

    def _once(self) -> str:
        given = f"'{self.insert_only}', '{_array(self.write_once)}', '{_array(self.taken_back)}'"
        return (
            f'CREATE TRIGGER trail_once BEFORE UPDATE ON "{self.table}" FOR EACH ROW '
            f"EXECUTE FUNCTION audit.refuse_update({given})"
        )


def _array(names: Sequence[str]) -> str:
    return "{" + ",".join(names) + "}"
