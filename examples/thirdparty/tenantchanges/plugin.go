package tenantchanges

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Count is a row of the plugin's table.
type Count struct {
	Tenant  string `json:"tenant" gorm:"primaryKey"`
	Kind    string `json:"kind" gorm:"primaryKey"`
	Changes int64  `json:"changes"`
	LastSeq uint64 `json:"last_seq"` // number of the newest event that is counted
}

// TableName is the plugin's table. Its prefix is the plugin's name: nobody else's table is called so.
func (Count) TableName() string { return "tenantchanges_counts" }

// Plugin counts changes. The zero value is ready to be added to a plugins.Manager.
type Plugin struct {
	plugins.Base
	runtime *plugins.Runtime
}

//go:embed migrations/*.sql
var migrations embed.FS

// Name is the plugin's name, and that of its place in the journal.
func (*Plugin) Name() string { return "tenantchanges" }

// Migrations is the SQL of the plugin's table.
func (*Plugin) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

// Init adds the plugin's route.
func (p *Plugin) Init(_ context.Context, rt *plugins.Runtime) error {
	p.runtime = rt
	return rt.Handle("GET /v1/tenant-changes", http.HandlerFunc(p.serve))
}

// Subscribe begins to count.
func (p *Plugin) Subscribe(c *bus.Client) error {
	_, err := journal.Subscribe(c, p.Name(), count)
	return err
}

// count adds a batch of changes to the table, in the transaction that also notes the batch as read: so a crash counts nothing twice.
// An event that comes again because the journal was rewound has a number that its row knows.
func count(_ context.Context, tx *journal.Tx, batch []bus.Event[resources.AnyChanged]) error {
	add := clause.OnConflict{
		Columns: []clause.Column{{Name: "tenant"}, {Name: "kind"}},
		DoUpdates: clause.Assignments(map[string]any{
			"changes":  gorm.Expr("tenantchanges_counts.changes + 1"),
			"last_seq": gorm.Expr("excluded.last_seq"),
		}),
		Where: clause.Where{Exprs: []clause.Expression{gorm.Expr("tenantchanges_counts.last_seq < excluded.last_seq")}},
	}
	for _, e := range batch {
		row := Count{Tenant: e.Tenant, Kind: e.Kind, Changes: 1, LastSeq: e.Seq}
		if err := tx.DB().Clauses(add).Create(&row).Error; err != nil {
			return fmt.Errorf("tenantchanges: count event %d: %w", e.Seq, err)
		}
	}
	return nil
}

// Counts reads the table, in order of tenant and kind; all tenants if tenant is "".
func (p *Plugin) Counts(ctx context.Context, tenant string) ([]Count, error) {
	query := p.runtime.Read().WithContext(ctx).Order("tenant, kind")
	if tenant != "" {
		query = query.Where("tenant = ?", tenant)
	}
	counts := []Count{}
	if err := query.Find(&counts).Error; err != nil {
		return nil, fmt.Errorf("tenantchanges: read: %w", err)
	}
	return counts, nil
}

func (p *Plugin) serve(w http.ResponseWriter, r *http.Request) {
	params, err := plugins.Params(r, "tenant")
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	counts, err := p.Counts(r.Context(), params.Get("tenant"))
	if err != nil {
		plugins.RespondError(w, http.StatusInternalServerError, err)
		return
	}
	plugins.Respond(w, http.StatusOK, counts)
}

var (
	_ plugins.Plugin   = (*Plugin)(nil)
	_ plugins.Migrator = (*Plugin)(nil)
)
