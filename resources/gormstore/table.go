package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// table is what is compiled from a kind: its columns and the texts of its statements.
type table struct {
	kind    *resources.Info
	db      *gorm.DB
	name    string
	columns []column          // in the order of all statements
	byField map[string]column // by the JSON name of the kind's field

	insert, update, load, list, count, states string
	lock                                      string // load, in a member: nobody else alters the row until it has ended
	state                                     string // the row's state; likewise, but others may do the same
	stays                                     stayTexts

	byID *sql.Stmt // load, on the read pool; closed with it
}

// compile reads the model of a kind; the table itself needn't be there yet.
func compile(db *gorm.DB, k *resources.Info) (*table, error) {
	model, err := schema.Parse(k.New(), &sync.Map{}, db.NamingStrategy)
	if err != nil {
		return nil, fmt.Errorf("gormstore: kind %s: %w", k.Name, err)
	}
	if len(model.PrimaryFieldDBNames) != 1 || model.PrimaryFieldDBNames[0] != "id" {
		return nil, fmt.Errorf("gormstore: kind %s: the primary key must be Object's id alone, not (%s)", k.Name, strings.Join(model.PrimaryFieldDBNames, ", "))
	}
	t := &table{kind: k, db: db, name: model.Table, byField: make(map[string]column)}
	for _, name := range model.DBNames {
		t.columns = append(t.columns, columnOf(model.FieldsByDBName[name]))
	}
	for _, f := range k.Fields {
		for _, c := range t.columns {
			if slices.Equal(c.field.StructField.Index, f.Index) {
				t.byField[f.Name] = c
			}
		}
	}
	t.write()
	return t, nil
}

// write makes the texts.
func (t *table) write() {
	names := make([]string, len(t.columns))
	marks := make([]string, len(t.columns))
	var sets []string
	for i, c := range t.columns {
		names[i] = t.quote(c.field.DBName)
		marks[i] = "?"
		if c.field.DBName != "id" {
			sets = append(sets, names[i]+" = ?")
		}
	}
	name := t.quote(t.name)
	all := strings.Join(names, ", ")
	t.insert = t.bind("INSERT INTO " + name + " (" + all + ") VALUES (" + strings.Join(marks, ", ") + ")" + t.unlessThere())
	t.update = t.bind("UPDATE " + name + " SET " + strings.Join(sets, ", ") + " WHERE id = ? AND version = ?")
	t.load = t.bind("SELECT " + all + " FROM " + name + " WHERE id = ?")
	t.lock = t.load
	t.state = t.bind("SELECT state FROM " + name + " WHERE id = ?")
	if t.db.Name() == "postgres" {
		t.lock += " FOR UPDATE"
		t.state += " FOR SHARE"
	}
	t.stays = t.writeStays()
	t.list = "SELECT " + all + " FROM " + name
	t.states = "WITH RECURSIVE s(state) AS (SELECT min(state) FROM " + name + " UNION ALL SELECT (SELECT min(state) FROM " + name +
		" WHERE state > s.state) FROM s WHERE s.state IS NOT NULL) SELECT state FROM s WHERE state IS NOT NULL"
	t.count = "SELECT state, count(*) FROM " + name + " GROUP BY state"
}

// unlessThere keeps an id that is taken from being an error where errors end transactions: nothing is inserted then.
func (t *table) unlessThere() string {
	if t.db.Name() == "postgres" {
		return " ON CONFLICT (id) DO NOTHING"
	}
	return ""
}

// check compares the model with the table that is there.
func (t *table) check(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+t.quote(t.name)+" WHERE 1 = 0")
	if err != nil {
		return fmt.Errorf("gormstore: kind %s: table %s can't be read (does *%s have Migrations that make it?): %w", t.kind.Name, t.name, t.kind.Type, err)
	}
	defer func() { _ = rows.Close() }()
	have, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("gormstore: kind %s: %w", t.kind.Name, err)
	}
	var missing []string
	for _, c := range t.columns {
		if !slices.Contains(have, c.field.DBName) {
			missing = append(missing, c.field.DBName)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("gormstore: kind %s: table %s has no column %s", t.kind.Name, t.name, strings.Join(missing, ", "))
	}
	return rows.Err()
}

// values binds a row for insert: all columns, in order.
func (t *table) values(ctx context.Context, obj any) ([]any, error) {
	row := reflect.ValueOf(obj).Elem()
	args := make([]any, 0, len(t.columns)+2)
	for _, c := range t.columns {
		v, err := c.value(ctx, row)
		if err != nil {
			return nil, fmt.Errorf("%w (field %s)", err, c.field.Name)
		}
		args = append(args, v)
	}
	return args, nil
}

// changes binds a row for update: all columns but the id, then the row's id and the version it must have.
func (t *table) changes(ctx context.Context, obj any, version uint64) ([]any, error) {
	args, err := t.values(ctx, obj)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.field.DBName == "id" })
	id := args[i]
	return append(slices.Delete(args, i, i+1), id, version), nil
}

// scan reads one row with the columns of load into a new object.
func (t *table) scan(ctx context.Context, scan func(dest ...any) error) (any, error) {
	obj := t.kind.New()
	row := reflect.ValueOf(obj).Elem()
	dests := make([]any, len(t.columns))
	var rest []func() error
	for i, c := range t.columns {
		dest, done := c.slot(ctx, row)
		dests[i] = dest
		if done != nil {
			rest = append(rest, done)
		}
	}
	if err := scan(dests...); err != nil {
		return nil, err
	}
	for _, done := range rest {
		if err := done(); err != nil {
			return nil, err
		}
	}
	return obj, nil
}

func (t *table) notFound(id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: %s/%s", resources.ErrNotFound, t.kind.Name, id)
	}
	return fmt.Errorf("gormstore: load %s/%s: %w", t.kind.Name, id, err)
}

func (t *table) quote(name string) string {
	var b strings.Builder
	t.db.QuoteTo(&b, name)
	return b.String()
}

// bind writes placeholders as the database wants them.
func (t *table) bind(query string) string { return bind(t.db, query) }

// bind puts the database's own placeholders in the place of ?.
func bind(db *gorm.DB, query string) string {
	stmt := &gorm.Statement{DB: db}
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			stmt.Vars = append(stmt.Vars, nil)
			db.BindVarTo(&stmt.SQL, stmt, nil)
		}
		stmt.SQL.WriteString(part)
	}
	return stmt.SQL.String()
}
